//! Which exported version serves an import: semver, as WIT uses it.

use std::cmp::Ordering;

use semver::Version;

use super::InterfaceName;

/// Tells whether an export of this name and version may serve an import.
///
/// From 1.0.0 on a higher minor or patch of the same major serves; in 0.x a higher patch of the same minor; in 0.0.x
/// only the same. A pre-release, on either side, serves itself alone, as does a name without a version.
pub fn satisfies(import: &InterfaceName, export: &InterfaceName) -> bool {
    import.path == export.path
        && match (&import.version, &export.version) {
            (Some(import), Some(export)) => serves(import, export),
            (None, None) => true,
            _ => false,
        }
}

fn serves(import: &Version, export: &Version) -> bool {
    match export.cmp_precedence(import) {
        Ordering::Equal => true,
        Ordering::Less => false,
        Ordering::Greater => export.pre.is_empty() && import.pre.is_empty() && track(import) == track(export),
    }
}

/// Returns what two versions have in common when the later one may stand in for the earlier.
fn track(version: &Version) -> (u64, u64, u64) {
    match (version.major, version.minor) {
        (0, 0) => (0, 0, version.patch),
        (0, minor) => (0, minor, 0),
        (major, _) => (major, 0, 0),
    }
}

/// Returns whatever exports the highest version that satisfies the import: none, one, or several that the operator
/// has to choose from.
pub fn best<'a, T>(import: &InterfaceName, exports: impl IntoIterator<Item = (&'a InterfaceName, T)>) -> Vec<T> {
    let mut highest: Option<&Version> = None;
    let mut chosen = Vec::new();
    for (name, export) in exports.into_iter().filter(|(name, _)| satisfies(import, name)) {
        let version = name.version.as_ref();
        let order = highest.zip(version).map_or(Ordering::Equal, |(highest, version)| version.cmp_precedence(highest));
        match order {
            Ordering::Less => continue,
            Ordering::Greater => chosen.clear(),
            Ordering::Equal => {}
        }
        highest = version;
        chosen.push(export);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> InterfaceName {
        InterfaceName::parse(text)
    }

    #[test]
    fn versions_serve_as_semver_says() {
        for (import, export, serves) in [
            ("a:b/c@1.2.0", "a:b/c@1.2.0", true),
            ("a:b/c@1.2.0", "a:b/c@1.9.3", true),
            ("a:b/c@1.2.0", "a:b/c@1.1.9", false),
            ("a:b/c@1.2.0", "a:b/c@2.0.0", false),
            ("a:b/c@1.2.0", "a:b/c@1.2.0+build", true),
            ("a:b/c@1.2.0", "a:b/d@1.2.0", false),
            ("a:b/c@0.2.1", "a:b/c@0.2.7", true),
            ("a:b/c@0.2.1", "a:b/c@0.3.0", false),
            ("a:b/c@0.0.1", "a:b/c@0.0.2", false),
            ("a:b/c@0.0.1", "a:b/c@0.1.0", false),
            ("a:b/c@1.2.0", "a:b/c@1.3.0-rc.1", false),
            ("a:b/c@1.2.0-rc.1", "a:b/c@1.2.0-rc.1", true),
            ("a:b/c@1.2.0-rc.1", "a:b/c@1.2.0-rc.2", false),
            ("a:b/c@1.2.0-rc.1", "a:b/c@1.2.0", false),
            ("a:b/c", "a:b/c", true),
            ("a:b/c", "a:b/c@1.0.0", false),
            ("a:b/c@1.0.0", "a:b/c", false),
        ] {
            assert_eq!(satisfies(&name(import), &name(export)), serves, "{export} for {import}");
        }
    }

    #[test]
    fn the_highest_that_serves_is_best_and_equals_stand_together() {
        let installed =
            ["a:b/c@1.2.0", "a:b/c@1.10.0", "a:b/c@1.10.0", "a:b/c@2.0.0", "a:b/c@1.9.0", "a:b/c@1.11.0-rc.1"];
        let names = installed.map(name);
        let best_for = |import: &str| best(&name(import), names.iter().zip(0..));
        assert_eq!(best_for("a:b/c@1.2.0"), [1, 2]);
        assert_eq!(best_for("a:b/c@2.0.0"), [3]);
        assert_eq!(best_for("a:b/c@1.11.0-rc.1"), [5]);
        assert_eq!(best_for("a:b/c@1.11.0"), [] as [i32; 0]);
    }
}
