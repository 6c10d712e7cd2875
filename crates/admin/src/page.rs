//! The dashboard: files that are part of this program, so that it needs no other
//! server and no build step.

use axum::extract::Path;
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// The page may load what this server has and nothing else, and run no script and
/// no style that stands in its text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = include_str!("../assets/index.html");
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A name under `/assets/`, its type and its text.
type Asset = (&'static str, &'static str, &'static str);

macro_rules! assets {
    ($($kind:ident: $($name:literal)*);* $(;)?) => {
        &[$($(($name, $kind, include_str!(concat!("../assets/", $name)))),*),*]
    };
}

const ASSETS: &[Asset] = assets! {
    SVG: "favicon.svg";
    CSS: "base.css" "chrome.css" "list.css" "detail.css" "dialog.css";
    JS: "theme.js" "main.js" "dom.js" "format.js" "states.js" "api.js" "stream.js" "connection.js"
        "store.js" "clock.js" "token.js" "summary.js" "list.js" "row.js" "order.js" "spark.js"
        "detail.js" "facts.js" "charts.js" "chart.js" "axis.js" "timeline.js" "phases.js" "logs.js" "crashes.js"
        "actions.js" "keys.js" "announce.js";
};

/// Whether a request is for one of the page's files, which anybody may have.
pub(crate) fn has(method: &Method, path: &str) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
        && (path == "/" || path.strip_prefix("/assets/").is_some_and(|name| find(name).is_some()))
}

fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|(known, ..)| *known == name)
}

/// `GET /`.
pub(crate) async fn index() -> Response {
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, HTML).into_response()
}

/// `GET /assets/NAME`.
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    match find(&name) {
        Some((_, kind, text)) => ([(header::CONTENT_TYPE, *kind)], *text).into_response(),
        None => (StatusCode::NOT_FOUND, "there is no such file\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn scripts() -> impl Iterator<Item = &'static Asset> {
        ASSETS.iter().filter(|(_, kind, _)| *kind == JS)
    }

    #[test]
    fn every_file_of_the_page_is_served_and_says_what_it_is_for() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
        let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
        for name in names.map(|name| name.into_string().unwrap()) {
            assert!(name == "index.html" || find(&name).is_some(), "{name} is not served");
        }
        for (name, _, text) in ASSETS {
            let documented = ["// ", "/* ", "<!-- "].iter().any(|start| text.starts_with(start));
            assert!(documented, "{name} does not begin with a comment");
            assert!(text.lines().count() <= 300, "{name} is too long; split it");
        }
    }

    #[test]
    fn whatever_a_file_of_the_page_names_is_one_of_them() {
        for (_, rest) in HTML.match_indices("/assets/").map(|(at, _)| HTML[at..].split_at(8)) {
            let name = rest.split('"').next().unwrap_or_default();
            assert!(find(name).is_some(), "index.html: {name}");
        }
        for (script, _, text) in scripts() {
            for part in text.split("from \"./").skip(1) {
                let name = part.split('"').next().unwrap_or_default();
                assert!(find(name).is_some(), "{script}: {name}");
            }
        }
    }

    #[test]
    fn each_module_is_asked_for_before_another_names_it() {
        for (name, ..) in scripts() {
            assert!(HTML.contains(&format!("/assets/{name}\"")), "index.html: {name}");
        }
    }

    #[test]
    fn nothing_of_the_page_is_made_of_text_that_a_plugin_wrote() {
        // Parts are put together here, so that they stand in no file of the page.
        let ways = ["inner", "outer", "insertAdjacent"].map(|start| format!("{start}HTML"));
        let others = ["document.write", "eval(", "new Function", "DOMParser", "srcdoc"];
        for (name, _, text) in scripts() {
            for way in ways.iter().map(String::as_str).chain(others) {
                assert!(!text.contains(way), "{name}: {way}");
            }
        }
        let inline =
            [" style=", "<style", " onclick=", " onload=", "javascript:", "http:", "https:"];
        for part in inline {
            assert!(!HTML.contains(part), "index.html: {part}");
        }
        assert!(HTML.match_indices("<script").all(|(at, _)| HTML[at..].starts_with("<script ")));
    }

    #[test]
    fn only_reading_of_the_page_s_own_files_is_open() {
        assert!(has(&Method::GET, "/") && has(&Method::HEAD, "/assets/main.js"));
        assert!(!has(&Method::POST, "/"));
        for path in ["/events", "/access", "/assets/", "/assets/none.js", "/assets/../events", "//"]
        {
            assert!(!has(&Method::GET, path), "{path}");
        }
    }
}
