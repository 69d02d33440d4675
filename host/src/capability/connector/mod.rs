//! Typed calls from one plugin to another: what a call's values look like on their way, and how both ends are linked.

pub mod answer;
pub mod call;
pub mod export;
pub mod import;
pub mod incoming;
pub mod json;
pub mod route;
pub mod schema;
pub mod typed;
pub mod val;
pub mod wire;

#[cfg(test)]
mod tests;
