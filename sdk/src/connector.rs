//! Typed interfaces between plugins: [`connector!`](crate::connector!) exports them, and
//! [`connectors!`](crate::connectors!) imports them.
//!
//! Both read WIT from the plugin's folder when the crate is compiled. The capabilities of `remit:plugin` are no part of
//! that: they come with this crate, once.

/// Makes the crate a connector: exports the interfaces that its folder `wit` declares.
///
/// The folder holds one package, with a version, and in it one world that exports the connector's interfaces:
///
/// ```wit
/// package acme:tracker@1.2.0;
///
/// interface issues {
///     record issue { title: string, labels: list<string> }
///     variant error { not-found(u64) }
///     get: func(id: u64) -> result<issue, error>;
/// }
///
/// world tracker {
///     export issues;
/// }
/// ```
///
/// The macro takes a type of this crate, for which the crate implements each interface's trait `Guest`. The traits and
/// their types are in a module `exports` beside the macro, by package and interface. Use it once, in the crate's root.
///
/// ```ignore
/// use exports::acme::tracker::issues::{Error, Guest, Issue};
/// use remit_sdk::prelude::*;
///
/// connector!(Tracker);
///
/// struct Tracker;
///
/// impl Guest for Tracker {
///     fn get(id: u64) -> Result<Issue, Error> {
///         Err(Error::NotFound(id))
///     }
/// }
/// ```
///
/// Types have `Clone` and `Debug`; one that a function returns as its error is a `std::error::Error`. More is derived
/// where the macro says so, with full paths: `connector!(Tracker, derive(PartialEq, serde::Serialize))`. Flags are left
/// out of that.
#[macro_export]
macro_rules! connector {
    ($connector:ident $(, derive($($derive:path),+ $(,)?))? $(,)?) => {
        #[doc(hidden)]
        mod __remit_connector {
            $crate::wit_bindgen::generate!({
                path: "wit",
                generate_all,
                runtime_path: "::remit_sdk::wit_bindgen::rt",
                bitflags_path: "::remit_sdk::wit_bindgen::bitflags",
                additional_derives: [$($($derive),+)?],
            });
            use super::$connector;
            export!($connector with_types_in self);
        }
        use __remit_connector::exports;
    };
}

/// Imports the interfaces of connectors that the agent's `remit.toml` requests, as plain functions.
///
/// `remit build` writes their WIT to the file `connectors.wit` beside `remit.toml`, and this macro makes a module
/// `connectors` of it, with one module per package and interface. Use it once, in the crate's root. The file belongs
/// into version control: with it the crate builds anywhere, and always against the same interfaces.
///
/// ```toml
/// [capabilities.connectors."acme:tracker/issues@1.2.0"]
/// why = "files what it finds as issues"
/// ```
///
/// ```ignore
/// use connectors::acme::tracker::issues;
/// use remit_sdk::prelude::*;
///
/// connectors!();
///
/// agent!(|id: u64| Ok(issues::get(id)?.title));
/// ```
///
/// A call returns what the connector returns. Where the remit does not allow it, or the connector itself fails, it does
/// not return: the host ends the run.
///
/// Types are as in [`connector!`](crate::connector!), and more is derived in the same way:
/// `connectors!(derive(serde::Serialize))`.
#[macro_export]
macro_rules! connectors {
    ($(derive($($derive:path),+ $(,)?))? $(,)?) => {
        mod connectors {
            $crate::wit_bindgen::generate!({
                path: "connectors.wit",
                generate_all,
                runtime_path: "::remit_sdk::wit_bindgen::rt",
                bitflags_path: "::remit_sdk::wit_bindgen::bitflags",
                additional_derives: [$($($derive),+)?],
            });
        }
    };
}
