//! A `remit` that runs: what it says so far, signals to it, and its end before a deadline.

use std::io::{Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Said;

/// How long a command may take. Far more than any needs, and less than anybody's patience.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long to wait before a condition is looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Waits until there is a value, and fails when there is none in time. `what` is what is waited for.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(start.elapsed() < DEADLINE, "waited in vain for {what}");
        thread::sleep(LOOK_EVERY);
    }
}

/// A process with its output read as it comes. Killed when dropped.
pub struct Running {
    child: Child,
    stdout: Reader,
    stderr: Reader,
}

impl Running {
    /// Starts the command with both outputs piped to here.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let stdout = Reader::of(child.stdout.take());
        let stderr = Reader::of(child.stderr.take());
        Self { child, stdout, stderr }
    }

    /// Starts the command with nobody reading its stdout: the pipe fills and stays full.
    pub fn start_unread(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let stderr = Reader::of(child.stderr.take());
        Self { child, stdout: Reader::of(None::<std::io::Empty>), stderr }
    }

    /// Closes the pipe that nobody reads.
    pub fn close_stdout(&mut self) {
        drop(self.child.stdout.take());
    }

    /// Gives all of its standard input. That it does not want it is no failure.
    pub fn write(&mut self, input: &[u8]) {
        let _ = self.child.stdin.take().expect("its stdin is piped").write_all(input);
    }

    /// Waits until stderr says `part`.
    #[track_caller]
    pub fn wait_for(&self, part: &str) {
        until(part, || self.stderr.so_far().contains(part).then_some(()));
    }

    /// Waits until stdout has a whole line, and returns what it says so far.
    #[track_caller]
    pub fn wait_for_line(&self) -> String {
        until("a line", || self.stdout.so_far().contains('\n').then(|| self.stdout.so_far()))
    }

    /// Waits until that many bytes are on stdout.
    #[track_caller]
    pub fn wait_for_output(&self, bytes: usize) {
        until("output", || (self.stdout.len() >= bytes).then_some(()));
    }

    /// Returns the process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `INT`.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        assert!(kill.expect("there is a kill program").success());
    }

    /// Waits for the end and returns what was said. Fails when the host panicked or died.
    #[track_caller]
    pub fn said(self) -> Said {
        let (status, stdout, stderr) = self.finished();
        let code = status.code().unwrap_or_else(|| panic!("it died: {status}\n{stderr}"));
        assert_ne!(code, 101, "{stderr}");
        let panics =
            |line: &&str| line.starts_with("thread '") && line.contains(" panicked at ") && !line.contains(OF_GUEST);
        assert_eq!(stderr.lines().find(panics), None, "{stderr}");
        Said { code, stdout, stderr }
    }

    /// Waits for the end and returns the exit code; nothing where it died of a signal.
    #[track_caller]
    pub fn ended(self) -> Option<i32> {
        self.finished().0.code()
    }

    /// Waits for an end by a signal, and returns what was on stdout until then.
    #[track_caller]
    pub fn died(self) -> String {
        let (status, stdout, stderr) = self.finished();
        assert_eq!(status.code(), None, "{stderr}");
        stdout
    }

    /// Whether it has come to its end.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    #[track_caller]
    fn finished(mut self) -> (ExitStatus, String, String) {
        let status = until("the end of the command", || self.child.try_wait().expect("the child can be waited for"));
        (status, self.stdout.all(), self.stderr.all())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a guest's panic message begins: its one thread is number 1, which no thread of the host is.
const OF_GUEST: &str = "' (1) panicked at";

/// What a pipe said so far.
struct Reader {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let to = bytes.clone();
        let thread = pipe.map(|mut pipe| {
            thread::spawn(move || {
                let mut chunk = [0; 64 << 10];
                while let Ok(len @ 1..) = pipe.read(&mut chunk) {
                    to.lock().expect("nobody panics with it").extend_from_slice(&chunk[..len]);
                }
            })
        });
        Self { bytes, thread }
    }

    fn len(&self) -> usize {
        self.bytes.lock().expect("nobody panics with it").len()
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("nobody panics with it")).into_owned()
    }

    fn all(&mut self) -> String {
        self.thread.take().into_iter().for_each(|thread| thread.join().expect("reading a pipe does not panic"));
        self.so_far()
    }
}
