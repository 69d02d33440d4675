//! A good response with one byte wrong, or cut: whatever it becomes, the exchange ends, and within its caps.

use super::*;

const GOOD: &[u8] = b"HTTP/1.1 200 OK\r\nRetry-After: 1\r\nTransfer-Encoding: chunked\r\nTrailer: t\r\n\r\n\
                      5;x=y\r\nhello\r\nA\r\n, 10 bytes\r\n0\r\nt: u\r\n\r\n";

/// Sends into a new world whose server answers with the bytes and then hangs up, or stays silent.
async fn exchange(bytes: &[u8], then: Vec<Step>) -> Result<Response, Failure> {
    let script = [vec![Step::Hear, Step::say(bytes)], then].concat();
    World::pipe(script).get().await
}

#[tokio::test(start_paused = true)]
async fn every_cut_is_an_error() {
    assert_eq!(&exchange(GOOD, Vec::new()).await.unwrap().body[..], b"hello, 10 bytes");
    for len in 0..GOOD.len() {
        let failure = exchange(&GOOD[..len], Vec::new()).await.unwrap_err();
        let code = failure.error.code();
        assert!(["connection-terminated", "HTTP-response-incomplete"].contains(&code), "{len}: {failure}");
        let failure = exchange(&GOOD[..len], vec![Step::Hang]).await.unwrap_err();
        let code = failure.error.code();
        assert!(["HTTP-response-timeout", "connection-read-timeout"].contains(&code), "{len}: {failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_change_ends() {
    let mut answered = 0;
    for at in 0..GOOD.len() {
        for byte in [0, b'\n', b'\r', b' ', b'0', b'9', b':', b'F', b';', 0x7f, 0xff] {
            let mut bytes = GOOD.to_vec();
            bytes[at] = byte;
            match exchange(&bytes, vec![Step::Hang]).await {
                Ok(response) => {
                    assert!(response.body.len() <= GOOD.len(), "{}", bytes.escape_ascii());
                    answered += 1;
                }
                Err(failure) => assert!(failure.is_sent && failure.error.code() != "internal-error", "{failure}"),
            }
        }
    }
    // Changes within names, values and contents do no harm.
    assert!(answered > 100, "{answered}");
}
