//! The load: keep-alive connections that each post one referral after the other. As cheap as HTTP/1.1 can be
//! spoken, because client, hub and database share the same cores.

use std::{
    io,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::LocalSet,
};

/// Stands where the idempotency key will be.
const KEY: &str = "00000000-0000-0000-0000-000000000000";

/// A request ready to be sent but for its key.
pub struct Ready {
    bytes: Vec<u8>,
    key_at: usize,
}

impl Ready {
    pub fn post(path: &str, token: &str, body: &str) -> Self {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nidempotency-key: ",
            body.len()
        );
        let key_at = head.len();
        Self { bytes: format!("{head}{KEY}\r\n\r\n{body}").into_bytes(), key_at }
    }

    /// A request that carries no key.
    pub fn plain(method: &str, path: &str, media: &str, body: &str) -> Self {
        let length = body.len();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: hub\r\ncontent-type: {media}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        Self { bytes: text.into_bytes(), key_at: 0 }
    }
}

/// One connection. Its answers are read into one buffer that is never shrunk.
pub struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

/// A status and where the body stands in the connection's buffer.
struct Answered {
    status: u16,
    body: usize,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, request: Vec::new(), answer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request under the key made of `lane` and `number`, and returns the status and the body.
    pub async fn ask(&mut self, ready: &Ready, lane: u64, number: u64) -> io::Result<(u16, String)> {
        let answered = self.send(ready, lane, number).await?;
        Ok((answered.status, String::from_utf8_lossy(&self.answer[answered.body..]).into_owned()))
    }

    async fn send(&mut self, ready: &Ready, lane: u64, number: u64) -> io::Result<Answered> {
        self.request.clear();
        self.request.extend_from_slice(&ready.bytes);
        if ready.key_at > 0 {
            let key = uuid::Uuid::from_u64_pair(lane, number).to_string();
            self.request[ready.key_at..ready.key_at + KEY.len()].copy_from_slice(key.as_bytes());
        }
        self.stream.write_all(&self.request).await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the hub closed the connection"));
            }
            if let Some((answered, end)) = head(&self.answer)
                && self.answer.len() >= end
            {
                return Ok(answered);
            }
        }
    }
}

/// Status and place of the body, once the whole head is there; and where the body ends.
fn head(answer: &[u8]) -> Option<(Answered, usize)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..end]).ok()?;
    let status = text.get(9..12)?.parse().ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Some((Answered { status, body: end }, end + length.unwrap_or(0)))
}

/// How long, and with how many connections.
#[derive(Clone, Copy)]
pub struct Plan {
    pub connections: usize,
    pub warm_up: Duration,
    pub duration: Duration,
}

/// What came of a load, counted between warm-up and end.
#[derive(Default)]
pub struct Outcome {
    /// Microseconds from sending to the last byte of the answer, sorted.
    pub latencies: Vec<u32>,
    /// Referrals answered with 201, warm-up included.
    pub accepted: u64,
    pub errors: u64,
    pub first_error: Option<String>,
    pub seconds: f64,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.seconds
    }

    /// The latency that this part of all requests did not exceed, in milliseconds.
    pub fn quantile_ms(&self, part: f64) -> f64 {
        let at = ((self.latencies.len() as f64 * part) as usize).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(at).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }

    fn fail(&mut self, why: String) {
        self.errors += 1;
        self.first_error.get_or_insert(why);
    }
}

/// Runs the load on this thread. `lane` keeps the keys of several loads apart; `measure` is called when the
/// measured time begins and when it ends.
pub async fn load(
    address: SocketAddr,
    requests: Rc<Vec<Ready>>,
    plan: Plan,
    lane: u64,
    mut measure: impl FnMut(),
) -> Outcome {
    let (local, began) = (LocalSet::new(), Instant::now());
    let workers: Vec<_> = (0..plan.connections)
        .map(|worker| local.spawn_local(work(address, Rc::clone(&requests), plan, lane, worker, began)))
        .collect();
    let watch = async {
        tokio::time::sleep_until((began + plan.warm_up).into()).await;
        measure();
        tokio::time::sleep_until((began + plan.warm_up + plan.duration).into()).await;
        measure();
    };
    local.run_until(watch).await;
    local.await;
    let mut total = Outcome { seconds: plan.duration.as_secs_f64(), ..Outcome::default() };
    for worker in workers {
        match worker.await {
            Ok(one) => {
                total.latencies.extend(one.latencies);
                total.accepted += one.accepted;
                total.errors += one.errors;
                total.first_error = total.first_error.or(one.first_error);
            }
            Err(error) => total.fail(error.to_string()),
        }
    }
    total.latencies.sort_unstable();
    total
}

/// One connection's share. Every request that is not answered with 201 is an error; warm-up counts for errors too.
async fn work(
    address: SocketAddr,
    requests: Rc<Vec<Ready>>,
    plan: Plan,
    lane: u64,
    worker: usize,
    began: Instant,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut connection = match Connection::open(address).await {
        Ok(connection) => connection,
        Err(error) => {
            outcome.fail(error.to_string());
            return outcome;
        }
    };
    let (from, until) = (began + plan.warm_up, began + plan.warm_up + plan.duration);
    for number in 0.. {
        let sent = Instant::now();
        if sent >= until {
            break;
        }
        let ready = &requests[(worker + number * plan.connections) % requests.len()];
        match connection.send(ready, lane << 32 | worker as u64, number as u64).await {
            Ok(Answered { status: 201, .. }) => {
                let done = Instant::now();
                outcome.accepted += 1;
                if done >= from && done < until {
                    outcome.latencies.push(u32::try_from((done - sent).as_micros()).unwrap_or(u32::MAX));
                }
            }
            Ok(Answered { status, body }) => {
                outcome.fail(format!("{status}: {}", String::from_utf8_lossy(&connection.answer[body..])));
            }
            Err(error) => {
                outcome.fail(error.to_string());
                return outcome;
            }
        }
    }
    outcome
}
