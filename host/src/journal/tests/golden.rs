//! Golden files: bytes of format 1 that every later version must read.

use super::*;
use crate::journal::amounts::Reservation;
use crate::journal::chain::Seal;
use crate::journal::entry::Part;
use crate::journal::entry::Raw;
use crate::journal::row::{Extent, Row, StateBody};
use crate::journal::segment::{self, Builder, Position, Segment};
use crate::journal::varint::Cursor;

const ROW: &str = include_str!("../golden/row-1.hex");
const COMMIT: &str = include_str!("../golden/commit-1.hex");
const RELEASE: &str = include_str!("../golden/release-1.hex");
const GRANT: &str = include_str!("../golden/grant-1.hex");
const RESERVATION: &str = include_str!("../golden/reservation-1.hex");
const FORK: &str = include_str!("../golden/fork-1.hex");
const BUNDLE: &str = include_str!("../golden/bundle-1.hex");

fn keyed() -> Header {
    Header { start_key: Some("once".into()), ..header() }
}

fn run() -> RunId {
    RunId::from_bytes(*b"0123456789abcdef")
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn to_hex(bytes: &[u8]) -> String {
    let lines = bytes.chunks(40).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n");
    lines.collect()
}

fn row() -> Row {
    let extent = Extent { entries: 4, segments: 1, fuel: 4321, bytes: 999 };
    let state = Some(StateBody::Inline(b"{\"state\":\"succeeded\"}".to_vec()));
    let header = Packed::new(&keyed().encode().unwrap());
    Row { epoch: 2, extent, blobs: vec![Digest::of(b"remit")], state, header }
}

/// Kind, fuel, params, outcome and extension of one entry.
type Golden = (Kind, u64, &'static [u8], &'static [u8], Option<Extension>);

fn entries() -> Vec<Golden> {
    let denied = Extension { denial: Some("no".into()), answers: Some(1), ..Extension::default() };
    vec![
        (Kind::Call, 1, b"\x03key", b"\x01\x08", None),
        (Kind::Intent, 2, b"params", b"", None),
        (Kind::Outcome, 2, b"", b"outcome", Some(denied)),
        (Kind::State, 0, b"{\"state\":\"succeeded\"}", b"", None),
    ]
}

fn commit() -> Vec<u8> {
    commit_after(Some(6))
}

/// Returns the row of a commit whose run has its segment before this one in `previous_commit`.
fn commit_after(previous_commit: Option<u64>) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, function, params, outcome, extension) in entries() {
        let mut block = Vec::new();
        extension.iter().for_each(|extension| extension.encode(&mut block));
        let extension = extension.is_some().then_some(&*block);
        let (params, outcome) = (Part::Inline(params), Part::Inline(outcome));
        Raw { kind, function, fuel: 300, time: u64::MAX, params, outcome, extension }.encode(&mut body);
    }
    let position = Position {
        run: run(),
        number: 0,
        first_entry: 0,
        count: 4,
        previous_commit,
        fuel: 0,
        time_us: 1_772_000_000_000_000,
        fuel_used: 1200,
    };
    let definitions = [FunctionDef { name: "clock".into(), class: 1 }, FunctionDef { name: "http".into(), class: 7 }];
    let first = chain::first(run(), &keyed().encode().unwrap());
    let sign = |head: &Digest| Seal::new(&signer(), chain::key_id(&signer().verifying_key()), run(), 4, head);
    let mut builder = Builder::new().unwrap();
    builder.build(&position, &definitions, &body, &first, Some(&sign));
    let mut row = Vec::new();
    varint::put_bytes(&mut row, builder.segment());
    row
}

fn grant() -> Grant {
    let ended = Some(Ended { replaced_by: "g8".parse().ok(), ..super::plugins::ended("over") });
    let expires = "2026-12-31".parse().ok();
    Grant { answer: Answer::Refused, ended, expires, ..super::grants::grant("kv") }
}

fn reservation() -> Reservation {
    let grant = "g7".parse().ok();
    let rule = crate::manifest::RuleId::kv();
    let claims = vec![Claim { amount: 1, grant, max: 3, rule, window: crate::manifest::Window::Day }];
    Reservation { at: super::grants::NOW, claims, owner: Digest::of(b"owner") }
}

/// Returns a bundle of the golden run, which this build writes.
fn bundle() -> Vec<u8> {
    let backend = redb::backends::InMemoryBackend::new();
    let (database, _) = tables::open_on(backend, Options::default().cache_bytes).unwrap();
    let write = database.begin_write().unwrap();
    let mut blob = Vec::new();
    Packed::new(b"remit").encode(&mut blob);
    write.open_table(tables::RUNS).unwrap().insert(run().as_bytes(), &*from_hex(ROW)).unwrap();
    write.open_table(tables::LOG).unwrap().insert(7, &*commit_after(None)).unwrap();
    write.open_table(tables::BLOBS).unwrap().insert(Digest::of(b"remit").as_bytes(), &*blob).unwrap();
    write.commit().unwrap();
    recover::recover(&database, 0).unwrap();
    let store = Arc::new(Store::new(database));
    let core = Core {
        store,
        path: PathBuf::new(),
        queue: queue::queue().0,
        thread: Mutex::new(None),
        key: None,
        last_cut: Mutex::default(),
    };
    let mut bytes = Vec::new();
    Journal(Arc::new(core)).export(run(), &mut bytes).unwrap();
    bytes
}

#[test]
fn a_bundle_is_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), from_hex(BUNDLE)).unwrap();
    let bundle = Bundle::open(file.path()).unwrap();
    assert_eq!((bundle.run, bundle.journal.header(run()).unwrap()), (run(), keyed()));
    assert_eq!(bundle.journal.blob(Digest::of(b"remit")).unwrap(), b"remit");
    let verified = bundle.journal.verify(run(), Some(&signer().verifying_key())).unwrap();
    assert_eq!((verified.entries, verified.signer), (4, Signer::Known));
}

/// Returns each document's key, the name of its golden file, that file, and what this build writes.
fn documents() -> [(&'static [u8], &'static str, &'static str, Vec<u8>); 3] {
    let release = document::encode(b"release", &super::plugins::release("folder:/x#brief", b"component"));
    let (granted, claims) = (document::encode(b"grant", &grant()), document::encode(b"claims", &reservation()));
    [
        (b"release", "release-1.hex", RELEASE, release.unwrap()),
        (b"grant", "grant-1.hex", GRANT, granted.unwrap()),
        (b"claims", "reservation-1.hex", RESERVATION, claims.unwrap()),
    ]
}

#[test]
fn documents_are_read() {
    let [release, granted, claims] = documents().map(|(key, _, golden, _)| (key, from_hex(golden)));
    let release: Release = document::decode("it", release.0, &release.1).unwrap();
    assert_eq!(release, super::plugins::release("folder:/x#brief", b"component"));
    assert_eq!(document::decode::<Grant>("it", granted.0, &granted.1).unwrap(), grant());
    assert_eq!(document::decode::<Reservation>("it", claims.0, &claims.1).unwrap(), reservation());
}

#[test]
fn the_row_of_a_run_is_read() {
    let decoded = Row::decode(run(), &from_hex(ROW)).unwrap();
    assert_eq!(Header::decode(&decoded.header.unpack().unwrap()).unwrap(), keyed());
    let Row { epoch, extent, blobs, state, .. } = row();
    assert_eq!((decoded.epoch, decoded.extent, decoded.blobs, decoded.state), (epoch, extent, blobs, state));
}

/// Returns the header of a fork.
fn fork_header() -> Header {
    let (parent, parent_head) = (Some(RunId::from_bytes([9; 16])), Some(Digest::of(b"head")));
    Header { armed: Some(true), cut: Some(3), parent, parent_head, ..keyed() }
}

/// Returns the row of a fork that has recorded nothing of its own.
fn fork_row() -> Row {
    let extent = Extent { entries: 3, segments: 0, fuel: 4321, bytes: 999 };
    Row { extent, state: None, header: Packed::new(&fork_header().encode().unwrap()), ..row() }
}

#[test]
fn the_row_of_a_fork_is_read() {
    let decoded = Row::decode(run(), &from_hex(FORK)).unwrap();
    assert_eq!(Header::decode(&decoded.header.unpack().unwrap()).unwrap(), fork_header());
    assert_eq!(decoded.extent, fork_row().extent);
}

#[test]
fn the_segment_of_a_run_is_read() {
    let bytes = from_hex(COMMIT);
    let segment = Segment::decode(segment::of_commit(&bytes).next().unwrap().unwrap()).unwrap();
    let first = chain::first(run(), &keyed().encode().unwrap());
    assert_eq!(chain::next(&first, segment.covered), segment.head);
    assert!(segment.seal.unwrap().holds(&signer().verifying_key(), run(), 4, &segment.head));
    assert_eq!((segment.position.count, segment.position.previous_commit), (4, Some(6)));
    assert_eq!(segment.definitions[1], FunctionDef { name: "http".into(), class: 7 });
    let mut body = Vec::new();
    segment.unpack(&mut body).unwrap();
    let mut cursor = Cursor::new(&body, "golden");
    for (kind, function, params, outcome, extension) in entries() {
        let raw = Raw::decode(&mut cursor).unwrap();
        assert_eq!((raw.kind, raw.function, raw.fuel, raw.time), (kind, function, 300, u64::MAX));
        assert_eq!((raw.params, raw.outcome), (Part::Inline(params), Part::Inline(outcome)));
        assert_eq!(raw.extension.map(|block| Extension::decode(block).unwrap()), extension);
    }
    assert!(cursor.is_empty());
}

/// What this build writes is what the golden file of its own format holds. When the format changes on purpose, write new
/// files beside the old ones (`REMIT_GOLDEN=write`), and keep the tests of the old ones.
#[test]
fn what_is_written_is_format_1() {
    if std::env::var("REMIT_GOLDEN").is_ok_and(|what| what == "write") {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/journal/golden");
        std::fs::write(golden.join("row-1.hex"), to_hex(&row().encode(run()))).unwrap();
        std::fs::write(golden.join("fork-1.hex"), to_hex(&fork_row().encode(run()))).unwrap();
        std::fs::write(golden.join("commit-1.hex"), to_hex(&commit())).unwrap();
        std::fs::write(golden.join("bundle-1.hex"), to_hex(&bundle())).unwrap();
        for (_, name, _, written) in documents() {
            std::fs::write(golden.join(name), to_hex(&written)).unwrap();
        }
        return;
    }
    for (_, _, golden, written) in documents() {
        assert_eq!(to_hex(&written), golden);
    }
    assert_eq!(to_hex(&commit()), COMMIT);
    assert_eq!(to_hex(&bundle()), BUNDLE);
    let packed = Row::decode(run(), &from_hex(ROW)).unwrap().header.unpack().unwrap();
    assert_eq!(packed, keyed().encode().unwrap(), "the header's canonical JSON has changed");
    let packed = Row::decode(run(), &from_hex(FORK)).unwrap().header.unpack().unwrap();
    assert_eq!(packed, fork_header().encode().unwrap(), "the header's canonical JSON has changed");
}
