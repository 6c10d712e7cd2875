//! What happens, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream, StreamExt as _};
use outrigger::metrics::LOG_LOST;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::following::{Told, following};
use crate::history::History;
use crate::http::Shared;
use crate::view;

/// So that whoever is between does not take the connection for dead.
const ALIVE: Duration = Duration::from_secs(15);

/// Lines of a log to begin with.
const LINES: usize = 100;

type Events = Sse<axum::response::sse::KeepAliveStream<Boxed>>;
type Boxed = std::pin::Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>;

/// What is said to whoever is not answered.
pub(crate) type Refused = (StatusCode, String);

pub(crate) fn full() -> Refused {
    let text = "as many as may follow this host already; try again later\n";
    (StatusCode::SERVICE_UNAVAILABLE, text.to_owned())
}

/// `GET /events`.
pub(crate) async fn events(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Events, Refused> {
    let place = shared.followers.place().ok_or_else(full)?;
    let events = following(shared.remote.clone()).map(|told| match told {
        Told::Status(all) => named("status", &all),
        Told::Event(event) => named("event", &event),
    });
    let query = query.unwrap_or_default();
    let wanted = query.split('&').any(|part| part == "samples=true");
    let samples = wanted.then(|| samples(&shared.history));
    let samples = stream::iter(samples).flatten();
    Ok(answer(stream::select(events, samples), shared.end, place))
}

/// One for all instances, each time that they are sampled.
fn samples(history: &History) -> impl Stream<Item = Event> + Send + use<> {
    stream::unfold(history.samples(), |mut samples| async move {
        loop {
            match samples.recv().await {
                Ok(sample) => {
                    let event = Event::default().event("sample").data(&*sample);
                    return Some((event, samples));
                }
                // The next one says more than the ones that were missed.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    })
}

/// `GET /logs/INSTANCE`.
pub(crate) async fn logs(
    State(shared): State<Shared>,
    Path(instance): Path<String>,
) -> Result<Events, Refused> {
    let Some(logs) = shared.remote.logs(&instance) else {
        let text = format!("there is no instance `{}`\n", instance.escape_debug());
        return Err((StatusCode::NOT_FOUND, text));
    };
    let place = shared.followers.place().ok_or_else(full)?;
    let following = logs.follow();
    let first = logs.last(LINES);
    let last = first.last().map_or(0, |line| line.number);
    let first: Vec<Event> = first.iter().map(|line| named("line", &view::Line::of(line))).collect();
    let rest = stream::unfold((following, last), move |(mut following, last)| {
        let instance = instance.clone();
        async move {
            loop {
                match following.recv().await {
                    // It was among the first.
                    Ok(line) if line.number <= last => {}
                    Ok(line) => {
                        let event = named("line", &view::Line::of(&line));
                        return Some((event, (following, last)));
                    }
                    Err(RecvError::Lagged(lost)) => {
                        metrics::counter!(LOG_LOST.name, "plugin" => instance.clone())
                            .increment(lost);
                        let event = named("lost", &lost);
                        return Some((event, (following, last)));
                    }
                    Err(RecvError::Closed) => return None,
                }
            }
        }
    });
    Ok(answer(stream::iter(first).chain(rest), shared.end, place))
}

fn named(name: &str, shown: &impl Serialize) -> Event {
    let data = serde_json::to_string(shown).unwrap_or_default();
    Event::default().event(name).data(data)
}

fn answer(
    events: impl Stream<Item = Event> + Send + 'static,
    end: CancellationToken,
    place: OwnedSemaphorePermit,
) -> Events {
    let events = events.map(move |event| {
        let _held_as_long_as_it_lasts = &place;
        Ok(event)
    });
    let events: Boxed = Box::pin(events.take_until(end.cancelled_owned()));
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE))
}
