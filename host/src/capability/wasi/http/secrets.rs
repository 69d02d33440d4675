//! The secrets that go with a run's requests, and what keeps them from coming back in responses.

use std::sync::Arc;

use super::message::{Headers, Response};
use super::network::NoResponse;
use super::types::ErrorCode;
use crate::net;
use crate::scope::{HttpTarget, Remit};
use crate::secret::scrub::TooMany;
use crate::secret::{Binding, Scrubber, Secret};

/// Headers that a digest or a length is in: what is said there is no longer true of a body that was scrubbed.
const ABOUT_THE_BODY: [&str; 5] = ["content-length", "content-md5", "digest", "content-digest", "repr-digest"];

/// Headers of a request that would bring a response in which secrets cannot be found: in pieces, or compressed.
const HIDING: [&str; 2] = ["range", "accept-encoding"];

/// The secrets of one run: those that the operator bound for its plugin.
#[derive(Clone, Default)]
pub struct Secrets(Option<Arc<Bound>>);

struct Bound {
    secrets: Vec<(Binding, Arc<Secret>)>,
    scrubber: Scrubber,
}

impl Secrets {
    /// Takes what is bound for the plugin. A secret goes only with requests to which the remit of that moment lets one
    /// go, in the place that both name.
    ///
    /// # Errors
    /// [`TooMany`] when there are more than responses can be searched for.
    pub fn new(secrets: Vec<(Binding, Arc<Secret>)>) -> Result<Self, TooMany> {
        if secrets.is_empty() {
            return Ok(Self::default());
        }
        let scrubber = Scrubber::new(secrets.iter().map(|(_, secret)| &**secret))?;
        Ok(Self(Some(Arc::new(Bound { secrets, scrubber }))))
    }

    /// Returns what the host adds to a request to `target`.
    pub(super) fn injected(&self, remit: &Remit, target: &HttpTarget) -> Vec<net::Inject> {
        let Some(bound) = &self.0 else { return Vec::new() };
        let place = target.place();
        let goes = |binding: &Binding| {
            let allowed = remit.secrets_for(target).any(|(_, scope)| *scope.slot() == binding.slot);
            allowed && binding.place.covers(&place)
        };
        let going = bound.secrets.iter().filter(|(binding, _)| goes(binding));
        going.map(|(binding, secret)| injected(binding, secret)).collect()
    }

    /// Asks for a response that can be searched: whole and not compressed.
    pub(super) fn open(&self, headers: &mut Headers) {
        if self.0.is_some() {
            headers.retain(|(name, _)| !HIDING.contains(&name.to_ascii_lowercase().as_str()));
            headers.push(("accept-encoding".into(), b"identity".to_vec()));
        }
    }

    /// Takes the secrets out of a response.
    ///
    /// # Errors
    /// When the body is compressed although nothing else was asked for: nobody could tell what is in it.
    pub(super) fn scrub(&self, response: Response) -> Result<Response, NoResponse> {
        let Some(Bound { scrubber, .. }) = self.0.as_deref() else { return Ok(response) };
        let Response { status, mut headers, body, trailers } = response;
        if let Some(coding) = coding(&headers) {
            return Err(NoResponse::of(ErrorCode::HttpResponseContentCoding(Some(coding))));
        }
        let clean = scrubber.bytes(&body).into_owned();
        if clean != body {
            headers.retain(|(name, _)| !ABOUT_THE_BODY.contains(&name.to_ascii_lowercase().as_str()));
        }
        Ok(Response {
            status,
            headers: scrubbed(scrubber, headers),
            body: clean,
            trailers: scrubbed(scrubber, trailers),
        })
    }
}

fn injected(binding: &Binding, secret: &Arc<Secret>) -> net::Inject {
    net::Inject { slot: binding.slot.clone(), prefix: binding.prefix.clone(), secret: secret.clone() }
}

/// Returns the coding of a body that is not sent as it is.
fn coding(headers: &Headers) -> Option<String> {
    let named = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    let mut codings = named.map(|(_, value)| String::from_utf8_lossy(value).trim().to_ascii_lowercase());
    codings.find(|coding| !coding.is_empty() && coding != "identity")
}

fn scrubbed(scrubber: &Scrubber, headers: Headers) -> Headers {
    let named = headers.into_iter().filter(|(name, _)| !scrubber.finds_in(name.as_bytes()));
    named.map(|(name, value)| (name, scrubber.bytes(&value).into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::manifest::{Grant, Place};

    const TOKEN: &str = "s3cret-token-of-the-tracker";

    /// Returns a remit that lets the token go below `granted`.
    fn remit(granted: &str) -> Remit {
        let grant = format!("[capabilities.secrets.token]\nurl = \"{granted}\"\nheader = \"authorization\"");
        Remit::from_grant(&Grant::parse("grant", &grant).unwrap())
    }

    /// Returns the secrets of a plugin with a token bound to the tracker.
    fn secrets() -> Secrets {
        let place: Place = "https://tracker.example/v1/".parse().unwrap();
        let slot = "header authorization".parse().unwrap();
        let binding = Binding { plugin: "p".into(), place, slot, prefix: "Bearer ".parse().unwrap() };
        let secret = Secret::new(Zeroizing::new(TOKEN.into())).unwrap();
        Secrets::new(vec![(binding, Arc::new(secret))]).unwrap()
    }

    fn target(path: &str) -> HttpTarget {
        HttpTarget::parse("GET", "https", "tracker.example", path).unwrap()
    }

    fn response(headers: &[(&str, &str)], body: &str) -> Response {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Response { status: 200, headers: headers.iter().map(field).collect(), body: body.into(), trailers: Vec::new() }
    }

    #[test]
    fn a_secret_goes_only_where_both_remit_and_binding_let_it() {
        let wide = remit("https://tracker.example/");
        assert_eq!(secrets().injected(&wide, &target("/v1/issues")).len(), 1);
        assert!(secrets().injected(&wide, &target("/v2/issues")).is_empty(), "nothing is bound there");
        let narrow = remit("https://tracker.example/v1/issues/");
        assert_eq!(secrets().injected(&narrow, &target("/v1/issues/7")).len(), 1);
        assert!(secrets().injected(&narrow, &target("/v1/people")).is_empty(), "nothing is granted there");
        assert!(secrets().injected(&Remit::nothing(), &target("/v1/issues")).is_empty(), "nothing is left");
        assert!(Secrets::default().injected(&wide, &target("/v1/issues")).is_empty());
    }

    #[test]
    fn an_echo_does_not_come_back() {
        let echo = response(
            &[("x-echo", TOKEN), (TOKEN, "x"), ("Content-Length", "99"), ("date", "today")],
            &format!("you sent Bearer {TOKEN}"),
        );
        let clean = secrets().scrub(echo).unwrap();
        assert!(!String::from_utf8_lossy(&clean.body).contains(TOKEN));
        let names: Vec<_> = clean.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x-echo", "date"]);
        assert!(!String::from_utf8_lossy(&clean.headers[0].1).contains(TOKEN));
    }

    #[test]
    fn what_holds_no_secret_comes_as_it_was() {
        let plain = response(&[("content-length", "2"), ("content-encoding", "identity")], "ok");
        assert_eq!(secrets().scrub(plain.clone()).unwrap(), plain);
    }

    #[test]
    fn a_compressed_body_is_not_handed_on() {
        let zipped = response(&[("Content-Encoding", "gzip")], "\u{1f}");
        let refused = secrets().scrub(zipped).unwrap_err();
        assert!(matches!(refused.code, ErrorCode::HttpResponseContentCoding(Some(coding)) if coding == "gzip"));
    }

    #[test]
    fn a_response_is_asked_for_whole_and_open() {
        let mut headers =
            vec![("Range".to_owned(), b"bytes=0-1".to_vec()), ("Accept-Encoding".to_owned(), b"br".to_vec())];
        secrets().open(&mut headers);
        assert_eq!(headers, [("accept-encoding".to_owned(), b"identity".to_vec())]);
    }
}
