//! WIT of connectors, read from a folder, a component or a file that was written before, and printed again.
//!
//! What is printed is only what a caller needs: the interfaces that it calls, and those whose types they use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use wit_component::WitPrinter;
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{InterfaceId, Resolve, WorldId, WorldItem};

/// WIT with the interfaces that it has to offer.
pub(super) struct Wit {
    resolve: Resolve,
    /// By name, as in `acme:tracker/issues@1.2.0`.
    interfaces: BTreeMap<String, InterfaceId>,
}

impl Wit {
    /// Reads what a component exports.
    pub(super) fn of_component(bytes: &[u8]) -> Result<Self> {
        match decode(bytes)? {
            DecodedWasm::Component(resolve, world) => Ok(Self::offered(resolve, world, Side::Exports)),
            DecodedWasm::WitPackage(..) => bail!("it is a package of WIT, not a component"),
        }
    }

    /// Reads what the world of a WIT folder exports.
    pub(super) fn of_folder(folder: &Path) -> Result<Self> {
        Self::of_path(folder, Side::Exports)
    }

    /// Reads what the world of a WIT file imports.
    pub(super) fn of_imports(file: &Path) -> Result<Self> {
        Self::of_path(file, Side::Imports)
    }

    fn of_path(path: &Path, side: Side) -> Result<Self> {
        let mut resolve = Resolve::default();
        let (package, _) = match resolve.push_path(path) {
            Ok(pushed) => pushed,
            Err(error) => bail!("{}", rendered(&error, &resolve)),
        };
        let world = resolve.select_world(&[package], None)?;
        Ok(Self::offered(resolve, world, side))
    }

    fn offered(resolve: Resolve, world: WorldId, side: Side) -> Self {
        let items = match side {
            Side::Exports => &resolve.worlds[world].exports,
            Side::Imports => &resolve.worlds[world].imports,
        };
        let interfaces = items.values().filter_map(|item| match item {
            WorldItem::Interface { id, .. } => Some((resolve.id_of(*id)?, *id)),
            WorldItem::Function(_) | WorldItem::Type { .. } => None,
        });
        let interfaces = interfaces.collect();
        Self { resolve, interfaces }
    }

    /// Returns the names of the interfaces on offer.
    pub(super) fn interfaces(&self) -> impl Iterator<Item = &str> {
        self.interfaces.keys().map(String::as_str)
    }

    /// Tells whether all of these are on offer.
    pub(super) fn has_all(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.interfaces.contains_key(*name))
    }

    /// Prints what these interfaces need, as one text for each package, by its name.
    pub(super) fn packages(&self, names: &[&str]) -> Result<BTreeMap<String, String>> {
        let needed = self.needed(names)?;
        let mut resolve = self.resolve.clone();
        for (_, package) in resolve.packages.iter_mut() {
            package.worlds.clear();
            package.interfaces.retain(|_, interface| needed.contains(interface));
        }
        let mut texts = BTreeMap::new();
        for (id, package) in resolve.packages.iter().filter(|(_, package)| !package.interfaces.is_empty()) {
            let mut printer = WitPrinter::default();
            printer.print_package(&resolve, id, false)?;
            texts.insert(package.name.to_string(), String::from(printer.output));
        }
        Ok(texts)
    }

    /// Returns these interfaces and all whose types they use.
    fn needed(&self, names: &[&str]) -> Result<BTreeSet<InterfaceId>> {
        let found = names.iter().map(|name| self.interfaces.get(*name).copied().with_context(|| format!("no {name}")));
        let mut open = found.collect::<Result<Vec<_>>>()?;
        let mut needed = BTreeSet::new();
        while let Some(interface) = open.pop() {
            if needed.insert(interface) {
                open.extend(self.resolve.interface_direct_deps(interface));
            }
        }
        Ok(needed)
    }
}

/// Which side of a world has the interfaces on offer.
#[derive(Clone, Copy)]
enum Side {
    Exports,
    Imports,
}

/// Returns what is wrong with WIT, with the line where that is known.
fn rendered(error: &anyhow::Error, resolve: &Resolve) -> String {
    let parse = error.downcast_ref::<wit_parser::ParseError>().map(|error| error.render(&resolve.source_map));
    let resolution = || error.downcast_ref::<wit_parser::ResolveError>().map(|error| error.render(&resolve.source_map));
    parse.or_else(resolution).unwrap_or_else(|| format!("{error:#}"))
}
