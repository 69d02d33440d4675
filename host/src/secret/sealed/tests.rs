//! What a sealed vault shows, and what it notices.

use super::super::tests::binding;
use super::*;

const NONCE_OF_TEST: [u8; NONCE_LEN] = [9; NONCE_LEN];

fn key(byte: u8) -> VaultKey {
    VaultKey::new([byte; 32])
}

fn vault() -> Vault {
    let mut vault = Vault::default();
    for (name, value) in [("crm", "crm-secret-value"), ("mail", "mail-secret-value")] {
        let secret = Secret::new(Zeroizing::new(value.as_bytes().to_vec())).unwrap();
        vault.set(name.parse().unwrap(), secret, Timestamp::from_micros(7)).unwrap();
    }
    vault.bind(&"crm".parse().unwrap(), binding("folder:/x#brief", "https://api.example.com/v1", "Bearer ")).unwrap();
    vault
}

fn contents(vault: &Vault) -> Vec<(String, u64, Vec<u8>, Vec<Binding>)> {
    let row = |(name, stored): (&Name, &Stored)| {
        (name.to_string(), stored.set.as_micros(), stored.secret.expose().to_vec(), stored.bindings.clone())
    };
    vault.secrets.iter().map(row).collect()
}

#[test]
fn what_is_sealed_opens_the_same() {
    for vault in [vault(), Vault::default()] {
        let sealed = vault.seal(&key(1), NONCE_OF_TEST).unwrap();
        assert_eq!(contents(&Vault::open(&key(1), &sealed).unwrap()), contents(&vault));
    }
}

#[test]
fn nothing_can_be_read_without_the_key() {
    let sealed = vault().seal(&key(1), NONCE_OF_TEST).unwrap();
    for word in ["secret", "crm", "example", "brief"] {
        assert!(!sealed.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
    let wrong = Vault::open(&key(2), &sealed).unwrap_err();
    assert!(matches!(wrong, SealError::WrongKey { .. }), "{wrong}");
    assert_ne!(sealed, vault().seal(&key(1), [8; NONCE_LEN]).unwrap());
}

#[test]
fn every_flipped_bit_is_noticed() {
    let sealed = vault().seal(&key(1), NONCE_OF_TEST).unwrap();
    for index in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[index] ^= 1 << bit;
            let error = Vault::open(&key(1), &changed).unwrap_err();
            let expected = match index {
                0..12 => error == SealError::NotAVault,
                12..14 => matches!(error, SealError::NewerFormat { .. } | SealError::Damaged(_)),
                14..22 => matches!(error, SealError::WrongKey { .. }),
                _ => matches!(error, SealError::Damaged(_)),
            };
            assert!(expected, "byte {index}: {error}");
        }
    }
}

#[test]
fn every_cut_and_everything_added_is_noticed() {
    let sealed = vault().seal(&key(1), NONCE_OF_TEST).unwrap();
    for len in 0..sealed.len() {
        let error = Vault::open(&key(1), &sealed[..len]).unwrap_err();
        assert!(matches!(error, SealError::Truncated { .. } | SealError::Damaged(_)), "{len}: {error}");
    }
    assert!(matches!(Vault::open(&key(1), &[sealed, vec![0]].concat()), Err(SealError::Damaged(_))));
}

#[test]
fn what_would_be_too_large_to_open_is_not_sealed() {
    let mut vault = vault();
    let crm: Name = "crm".parse().unwrap();
    for number in 0..5 {
        let [listed, _] = vault.list().collect::<Vec<_>>()[..] else { panic!("two secrets") };
        let long = Binding { plugin: format!("{number}").repeat(4 << 20), ..listed.bindings[0].clone() };
        vault.bind(&crm, long).unwrap();
    }
    assert!(matches!(vault.seal(&key(1), NONCE_OF_TEST), Err(SealError::TooLarge { .. })));
}

#[test]
fn a_newer_format_says_so_whatever_follows() {
    let newer = [&MAGIC[..], &2_u16.to_le_bytes(), b"whatever"].concat();
    assert_eq!(Vault::open(&key(1), &newer).unwrap_err(), SealError::NewerFormat { found: 2 });
    assert_eq!(Vault::open(&key(1), b"{\"secrets\":[]}").unwrap_err(), SealError::NotAVault);
}

/// Whoever has the key can write anything, a later version of this code included.
#[test]
fn a_body_that_makes_no_sense_is_refused() {
    let row = |name: &str, len: u64| format!(r#"{{"name":"{name}","set":1,"len":{len},"bindings":[]}}"#);
    let body = |index: String, values: &str| {
        [&(index.len() as u32).to_le_bytes()[..], index.as_bytes(), values.as_bytes()].concat()
    };
    assert!(read(&body(format!("[{}]", row("a", 8)), "12345678")).is_ok());
    for (bytes, reason) in [
        (vec![1, 2], "no index"),
        (vec![255; 4], "cut short"),
        (body("{}".into(), ""), "not one"),
        (body(format!("[{}]", row("a", u64::MAX)), "12345678"), "cut short"),
        (body(format!("[{}]", row("a", 7)), "1234567"), "no secret"),
        (body(format!("[{}]", row("a", 8)), "123456789"), "follows"),
        (body(format!("[{},{}]", row("a", 8), row("a", 8)), "1234567812345678"), "twice"),
        (body(format!("[{}]", row("A", 8)), "12345678"), "not one"),
    ] {
        let error = read(&bytes).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_key_is_not_printed() {
    assert_eq!(format!("{:?}", key(0x41)), "VaultKey");
}
