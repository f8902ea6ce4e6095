//! `lockstep health`: does the broker answer, and has it the topics? Or, with `--url`: does a stage work?

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use contract::config::Config;
use contract::topic;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use crate::cli::HealthArgs;
use crate::failure::{Failure, Outcome};
use crate::{live, settings};

/// The longest answer that is read.
const ANSWER_BYTES: usize = 64 * 1024;

/// Exit code 0 if the broker, or the stage, is well.
pub(crate) fn run(args: &HealthArgs, config: &Config) -> Outcome {
    match &args.url {
        Some(url) => stage(args, url),
        None => broker(args, config),
    }
}

fn broker(args: &HealthArgs, config: &Config) -> Outcome {
    let broker = settings::cluster(config, args.broker.as_deref())?;
    let health = broker.health(args.timeout)?;
    let missing: Vec<&str> = topic::ALL
        .iter()
        .filter(|topic| health.topics.get(topic.name).copied() != Some(topic.partition_count()))
        .map(|topic| topic.name)
        .collect();
    let mut stdout = std::io::stdout().lock();
    if args.json {
        let told = json!({ "broker": broker.address(), "brokers": health.brokers.len(), "topics": health.topics.len(), "missing": missing });
        writeln!(stdout, "{told}")?;
    } else {
        writeln!(
            stdout,
            "{}: {} broker(s), {} topic(s)",
            broker.address(),
            health.brokers.len(),
            health.topics.len()
        )?;
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(anyhow::anyhow!(
        "the broker lacks topics or partitions of them: {}; make them with `lockstep topics --create`",
        missing.join(", ")
    )))
}

fn stage(args: &HealthArgs, url: &Uri) -> Outcome {
    let (status, said) = live::block_on(ask(url, args.timeout))??;
    let said = said.trim_end();
    let mut stdout = std::io::stdout().lock();
    if args.json {
        let told = json!({ "url": url.to_string(), "healthy": status == 200, "status": status, "said": said });
        writeln!(stdout, "{told}")?;
    }
    if status == 200 {
        if !args.json {
            writeln!(stdout, "{said}")?;
        }
        return Ok(());
    }
    Err(Failure::Failed(anyhow::anyhow!(
        "{url} answers {status}: {said}"
    )))
}

/// The status and text of the answer.
async fn ask(url: &Uri, timeout: Duration) -> Result<(u16, String), Failure> {
    let asking = async {
        let host = url.host().context("the address names no host")?;
        let port = url.port_u16().unwrap_or(80);
        // Brackets around an address of version 6 are the URL's.
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let request = Request::get(url.path())
            .header(HOST, format!("{host}:{port}"))
            .body(Empty::<Bytes>::new())?;
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_BYTES)
            .collect()
            .await
            .map_err(|error| anyhow::anyhow!(error))?;
        driver.abort();
        Ok::<_, anyhow::Error>((
            status,
            String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        ))
    };
    match tokio::time::timeout(timeout, asking).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Failure::Failed(
            error.context(format!("could not ask {url}")),
        )),
        Err(_) => Err(Failure::Failed(anyhow::anyhow!(
            "{url} did not answer within {} s",
            timeout.as_secs_f64()
        ))),
    }
}

/// Reads `http://HOST:PORT/PATH`; without a path it is that of the stages.
pub(crate) fn url(text: &str) -> Result<Uri, String> {
    let fault = || {
        "expected an address such as `http://127.0.0.1:9464/healthz`; https is not spoken here"
            .to_owned()
    };
    let url: Uri = text.parse().map_err(|_| fault())?;
    if url.scheme_str() != Some("http") || url.host().is_none_or(str::is_empty) {
        return Err(fault());
    }
    if url.path() != "/" {
        return Ok(url);
    }
    format!("{}/healthz", text.trim_end_matches('/'))
        .parse()
        .map_err(|_| fault())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_path_means_the_stages_own() {
        let path = |text: &str| url(text).map(|url| url.to_string());
        for text in ["http://h:1", "http://h:1/", "http://h:1/healthz"] {
            assert_eq!(path(text).as_deref(), Ok("http://h:1/healthz"), "{text}");
        }
        assert_eq!(path("http://[::1]:9/x").as_deref(), Ok("http://[::1]:9/x"));
        for text in ["", "h:1", "https://h", "http://", "ftp://h", "/healthz"] {
            assert!(url(text).is_err(), "{text}");
        }
    }
}
