//! `heliu health`: asks a running Heliu whether it is well; for container health checks, where no curl is.

use super::say;
use crate::net::{self, Accept, Client, Request, Robots, Validators};
use anyhow::Context as _;
use std::process::ExitCode;
use url::Url;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// The address to ask
    #[arg(default_value = "http://127.0.0.1:8080/readyz", value_name = "URL")]
    url: Url,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // The operator asks for one address of their own; every network is allowed for it.
    let allow_networks = vec!["0.0.0.0/0".parse()?, "::/0".parse()?];
    let client = Client::new(net::Options { allow_networks, ..net::Options::default() });
    let request = Request {
        url: args.url.clone(),
        validators: Validators::default(),
        accept: Accept::Page,
        limit: 1 << 20,
        robots: Robots::Ignore,
        berth: net::Berth::default(),
    };
    let response = runtime.block_on(client.fetch(request)).context("not well")?;
    say(String::from_utf8_lossy(&response.body).trim_end());
    Ok(ExitCode::SUCCESS)
}
