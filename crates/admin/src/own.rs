//! Plugins' own metrics: asked for now and then, and shown with the plugin's name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::body::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use outrigger::{OwnMetrics, Remote};
use outrigger_types::{Generation, InstanceName};
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

mod merge;
mod otlp;
mod text;

/// For a plugin to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Plugins that are asked at a time.
const TOGETHER: usize = 8;

/// Of what one plugin says, in bytes.
const LARGEST: usize = 1024 * 1024;

/// What plugins said last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Own {
    said: Arc<Mutex<BTreeMap<InstanceName, Said>>>,
    /// All of it as one text, made once for all who ask.
    text: Arc<ArcSwap<String>>,
}

#[derive(Debug, Clone)]
struct Said {
    generation: Generation,
    /// `None`: this generation has none, and is not asked again.
    form: Option<Form>,
}

/// What a plugin says, as it says it.
#[derive(Debug, Clone)]
enum Form {
    Text(String),
    OpenTelemetry(Bytes),
}

impl Form {
    fn parse(&self) -> BTreeMap<String, text::Family> {
        match self {
            Self::Text(text) => text::parse(text),
            Self::OpenTelemetry(encoded) => otlp::parse(encoded.clone()),
        }
    }
}

impl Own {
    /// Asks all that serve. One that does not answer this time shows nothing.
    pub(crate) async fn refresh(&self, remote: &Remote) {
        let serving = remote.status().into_iter();
        let serving = serving.filter_map(|status| Some((status.instance, status.generation?)));
        let asked = serving.filter(|(instance, generation)| !self.has_none(instance, *generation));
        let asked = asked.map(|(instance, generation)| async move {
            let answer = ask(remote, &instance).await;
            (instance, generation, answer)
        });
        let answers: Vec<_> = stream::iter(asked).buffer_unordered(TOGETHER).collect().await;
        let now = {
            let mut said = self.lock();
            said.retain(|instance, said| {
                said.form.is_none() && remote.watch(instance.as_str()).is_some()
            });
            for (instance, generation, answer) in answers {
                let form = match answer {
                    Answer::Form(form) => Some(form),
                    Answer::None => None,
                    Answer::NotNow => continue,
                };
                said.insert(instance, Said { generation, form });
            }
            said.clone()
        };
        let texts = self.text.clone();
        let merging = tokio::task::spawn_blocking(move || {
            let said = now.iter().filter_map(|(name, said)| Some((name, said.form.as_ref()?)));
            let text = merge::all(said.map(|(name, form)| (name.as_str(), form.parse())));
            texts.store(Arc::new(text));
        });
        // It computes, and ends.
        let _merged = merging.await;
    }

    /// All of it as one text, as it was at the last look.
    pub(crate) fn render(&self) -> Arc<String> {
        self.text.load_full()
    }

    fn has_none(&self, instance: &InstanceName, generation: Generation) -> bool {
        let said = self.lock();
        said.get(instance).is_some_and(|it| it.generation == generation && it.form.is_none())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<InstanceName, Said>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Answer {
    Form(Form),
    None,
    NotNow,
}

async fn ask(remote: &Remote, instance: &InstanceName) -> Answer {
    let port = match remote.own_metrics(instance, PATIENCE).await {
        Some(OwnMetrics::Text(text)) if text.len() <= LARGEST => {
            return Answer::Form(Form::Text(text));
        }
        Some(OwnMetrics::OpenTelemetry(encoded)) if encoded.len() <= LARGEST => {
            return Answer::Form(Form::OpenTelemetry(encoded));
        }
        Some(OwnMetrics::Port(port)) => port,
        Some(OwnMetrics::None) => return Answer::None,
        _ => return Answer::NotNow,
    };
    match tokio::time::timeout(PATIENCE, fetch(port)).await {
        Ok(Ok(text)) => Answer::Form(Form::Text(text)),
        Ok(Err(error)) => {
            tracing::debug!(plugin = %instance, "its metrics on port {port} cannot be had: {error}");
            Answer::NotNow
        }
        Err(_) => Answer::NotNow,
    }
}

async fn fetch(port: u16) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let request = hyper::Request::get("/metrics").header("host", format!("127.0.0.1:{port}"));
    // Its errors are the exchange's.
    let _driven = AbortOnDropHandle::new(tokio::spawn(connection));
    let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
    if response.status() != hyper::StatusCode::OK {
        return Err(format!("it answered {}", response.status()).into());
    }
    let body = Limited::new(response.into_body(), LARGEST).collect().await?;
    Ok(String::from_utf8(body.to_bytes().into())?)
}
