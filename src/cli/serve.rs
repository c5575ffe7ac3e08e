//! `heliu serve`: polls, records and serves until it is told to stop.

use super::{ConfigArg, DataArg, say_error};
use crate::store::{Salvage, SqliteStore, Store, StoreError};
use crate::worker::{self, Clock as _, Service, Setup, SystemClock};
use crate::{net, serve, telemetry};
use anyhow::Context as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// The address to listen on
    #[arg(long, short, env = "HELIU_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    #[command(flatten)]
    data: DataArg,
    /// A file that holds the token for /admin; without it /admin is open to this machine only
    #[arg(long, env = "HELIU_ADMIN_TOKEN_FILE", value_name = "FILE")]
    admin_token_file: Option<PathBuf>,
    /// Log lines as JSON
    #[arg(long, env = "HELIU_LOG_JSON")]
    log_json: bool,
}

/// How long the listener gets to finish answers after the signal to stop; see `serve::run`.
const STOP_WITHIN: Duration = Duration::from_secs(12);

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let format = if args.log_json { telemetry::LogFormat::Json } else { telemetry::LogFormat::Human };
    telemetry::init(format, std::env::var("RUST_LOG").ok().as_deref())?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    let code = runtime.block_on(serve(args));
    // Blocking threads that hang in a file system must not keep the process alive.
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

async fn serve(args: &Args) -> anyhow::Result<ExitCode> {
    let admin_token = admin_token(args)?;
    let clock = SystemClock;
    let store = open(args, clock).await?;
    let setup = Setup {
        config_path: args.config.config.clone(),
        store: Arc::clone(&store),
        clock: Arc::new(clock),
        net: net::Options::default(),
        chance: Arc::new(rand::random::<f64>),
    };
    let service = match Service::start(setup).await {
        Ok(service) => service,
        Err(error) => {
            store.close().await;
            return refuse(args, error);
        }
    };
    let listener = TcpListener::bind(args.listen).await.with_context(|| {
        format!("cannot listen on {}: is another Heliu running? Choose another with --listen", args.listen)
    })?;
    let address = listener.local_addr()?;
    let shutdown = CancellationToken::new();
    let hang_up = Arc::new(Notify::new());
    listen_for_signals(&shutdown, &hang_up)?;
    // Whoever reads this line may send a signal.
    tracing::info!(%address, config = %args.config.config.display(), data = %args.data.data.display(), "serving http://{address}/");
    let watcher = tokio::spawn(worker::watch(Arc::clone(&service), hang_up, shutdown.clone()));
    let poller = tokio::spawn(Arc::clone(&service).run(shutdown.clone()));
    let site = Arc::new(serve::Site {
        shelf: service.shelf(),
        store: Arc::clone(&store),
        options: serve::Options { admin_token, ..serve::Options::default() },
        clock: Arc::new(chrono::Utc::now),
        version: env!("CARGO_PKG_VERSION"),
        metrics: service.metrics(),
        preview: Some(preview(&service)),
    });
    let stop = shutdown.clone();
    let report = serve::run(listener, site, async move { stop.cancelled().await }).await;
    let _ = tokio::time::timeout(STOP_WITHIN, async { (watcher.await, poller.await) }).await;
    store.close().await;
    tracing::info!(?report, "stopped");
    Ok(ExitCode::SUCCESS)
}

/// The ledger; when it cannot be used, what can be read of it.
async fn open(args: &Args, clock: SystemClock) -> Result<Arc<dyn Store>, StoreError> {
    let folder = &args.data.data;
    let why = match SqliteStore::open(folder, clock.now()).await {
        Ok(store) => return Ok(Arc::new(store)),
        Err(why) => why,
    };
    let salvage = Salvage::open(folder, why, clock.now()).await?;
    tracing::error!(error = %salvage.why(), "the ledger cannot be used: what can be read of it is served, nothing is polled and nothing recorded until Heliu is started again with a ledger that is whole");
    Ok(Arc::new(salvage))
}

/// The previews of `/admin`: `serve` knows no fetching, so it is handed in here.
fn preview(service: &Arc<Service>) -> serve::Previews {
    let service = Arc::clone(service);
    serve::Previews::new(move |url| {
        let service = Arc::clone(&service);
        Box::pin(async move { answer(service.preview(&url).await) })
    })
}

fn answer(result: Result<worker::Preview, worker::PreviewError>) -> Result<String, serve::NoPreview> {
    match result {
        Ok(preview) if preview.is_readable() => Ok(preview.json()),
        Ok(preview) => {
            let flaws: Vec<_> = preview.flaws.iter().map(|(_, flaw)| flaw.to_string()).collect();
            Err(serve::NoPreview::NoFeed(flaws.join("; ")))
        }
        Err(worker::PreviewError::Fetch(error)) if error.kind == net::FetchErrorKind::Refused => {
            Err(serve::NoPreview::BadAddress(error.to_string()))
        }
        Err(error) => Err(serve::NoPreview::SourceFailed(error.to_string())),
    }
}

/// Says why the service does not start; for a wrong feeds.yaml the diagnostics stand on their own.
fn refuse(args: &Args, error: worker::StartError) -> anyhow::Result<ExitCode> {
    match error {
        worker::StartError::Config(diagnostics) => {
            say_error(diagnostics.trim_end());
            say_error("heliu: not started. Mend the file; `heliu check` prints the same list.");
            Ok(ExitCode::FAILURE)
        }
        worker::StartError::Unreadable(reason) if !args.config.config.exists() => {
            anyhow::bail!("{reason}. `heliu init` writes one to begin with; --config names another")
        }
        other => Err(other.into()),
    }
}

fn admin_token(args: &Args) -> anyhow::Result<Option<String>> {
    let Some(path) = &args.admin_token_file else { return Ok(None) };
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read the admin token {}", path.display()))?;
    let token = text.trim();
    anyhow::ensure!(token.len() >= 16, "the admin token in {} is shorter than 16 characters", path.display());
    Ok(Some(token.to_owned()))
}

/// SIGTERM and Ctrl-C stop cleanly, a second one at once; SIGHUP makes feeds.yaml be read now.
#[cfg(unix)]
fn listen_for_signals(shutdown: &CancellationToken, hang_up: &Arc<Notify>) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hup = signal(SignalKind::hangup())?;
    let (shutdown, hang_up) = (shutdown.clone(), Arc::clone(hang_up));
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hup.recv() => {
                    hang_up.notify_one();
                    continue;
                }
            }
            if shutdown.is_cancelled() {
                tracing::warn!("second signal: stopping at once");
                std::process::exit(130);
            }
            tracing::info!("stopping: no new connections, answers under way are finished");
            shutdown.cancel();
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn listen_for_signals(shutdown: &CancellationToken, _: &Arc<Notify>) -> anyhow::Result<()> {
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            shutdown.cancel();
        }
    });
    Ok(())
}
