//! certificates that are not trusted, each refused with an error that says why.

use super::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn authority(name: &str) -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A client that trusts `root` alone, and everything it dials is `origin`.
fn trusting(root: &Issuer, origin: SocketAddr) -> Client {
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let tls = Some(builder.with_root_certificates(roots).with_no_client_auth());
    let trace = Trace { answers: vec!["8.8.8.8".parse().unwrap()], origin: Some(origin), ..Trace::default() };
    Client::new(Options { tls, host_gap: Duration::ZERO, ..options(&Arc::new(trace)) })
}

/// Shows a certificate to whoever connects, and answers.
async fn server(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> SocketAddr {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                let _ = stream.shutdown().await;
            }
        }
    });
    address
}

/// Fetches from a server whose certificate for `a.test` was changed and then signed by `signer`, trusting `root`.
async fn fetch(
    root: &Issuer,
    signer: &Issuer,
    change: impl FnOnce(&mut CertificateParams),
) -> Result<Response, FetchError> {
    let mut params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, signer).unwrap();
    let origin = server(vec![certificate.der().clone()], &key).await;
    trusting(root, origin).fetch(get("https://a.test/")).await
}

fn assert_refused(what: &str, result: Result<Response, FetchError>, why: &[&str]) {
    let error = result.expect_err(what);
    assert_eq!(error.kind, FetchErrorKind::Tls, "{what}: {error}");
    assert!(why.iter().any(|why| error.message.contains(why)), "{what}: {error}");
    assert_one_line(&error);
}

#[tokio::test]
async fn a_good_certificate_is_trusted() {
    let root = authority("root");
    assert_eq!(fetch(&root, &root, |_| {}).await.unwrap().body, "ok");
}

#[tokio::test]
async fn bad_certificates_are_refused_and_the_error_says_why() {
    let (root, other) = (authority("root"), authority("other"));
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    assert_refused("expired", fetch(&root, &root, expired).await, &["expired"]);
    let early = |params: &mut CertificateParams| params.not_before = date_time_ymd(4000, 1, 1);
    assert_refused("not yet valid", fetch(&root, &root, early).await, &["not valid yet"]);
    let name = |params: &mut CertificateParams| {
        let usages = params.extended_key_usages.clone();
        *params = CertificateParams::new(vec!["b.test".to_owned()]).unwrap();
        params.extended_key_usages = usages;
    };
    assert_refused("wrong host", fetch(&root, &root, name).await, &["not valid for name", "a.test"]);
    assert_refused("unknown authority", fetch(&root, &other, |_| {}).await, &["UnknownIssuer"]);
    let usage = |params: &mut CertificateParams| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert_refused("wrong usage", fetch(&root, &root, usage).await, &["not allow", "ExtendedKeyUsage", "key usage"]);
    // Signed by itself, and an authority that stands there as a server.
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["a.test".to_owned()]).unwrap().self_signed(&key).unwrap();
    let origin = server(vec![own.der().clone()], &key).await;
    let result = trusting(&root, origin).fetch(get("https://a.test/")).await;
    assert_refused("self-signed", result, &["UnknownIssuer"]);
    let ca = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    assert_refused("an authority", fetch(&root, &root, ca).await, &["CaUsedAsEndEntity"]);
}

#[tokio::test]
async fn what_is_no_modern_tls_is_refused() {
    let root = authority("root");
    // Plain HTTP on the port; TLS 1.1, which answers with its own version; an alert that says so.
    for (what, why, bytes) in [
        ("plain HTTP", "corrupt message", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        (
            "TLS 1.1",
            "peer is incompatible",
            [&[22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2][..], &[7; 32], &[0, 0, 0x2f, 0]].concat(),
        ),
        ("protocol version alert", "ProtocolVersion", vec![21, 3, 1, 0, 2, 2, 70]),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read(&mut buffer).await;
        });
        let result = trusting(&root, origin).fetch(get("https://a.test/")).await;
        assert_refused(what, result, &[why]);
    }
}
