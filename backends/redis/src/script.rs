//! The scripts that the server runs, each as one step that nobody sees half of.
//!
//! Who has a lock, or wants it, has read its key after the last change of its own, so that the
//! server tells of the next one: see `watch.rs`.

use lockutils_remote::Fault;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, Pipeline, RedisResult, ServerErrorKind, Value};

/// Takes the lock, `KEYS[1]`, and answers with the fencing token; or with the value and the
/// milliseconds that it has left, if somebody else has it. Whoever has it already, as one who
/// asks again may, gets the same token, and a new lease.
///
/// The token is the server's time in microseconds, or the last one plus one, which is kept at
/// `ARGV[4]`. A number of Lua has 53 bits, which last till the year 2255. `GETSET` and not `GET`, as the
/// server would tell of each change of what was read; and no key of the script, as Redis 7.0
/// takes all of them for read with each `GET`.
const ACQUIRE: &str = r"
local held = redis.call('GET', KEYS[1])
local fence
if not held then
    local time = redis.call('TIME')
    local new = time[1] * 1000000 + time[2]
    local last = tonumber(redis.call('GETSET', ARGV[4], string.format('%.0f', new)) or 0)
    if last >= new then
        new = last + 1
        redis.call('SET', ARGV[4], string.format('%.0f', new))
    end
    fence = string.format('%.0f', new)
    redis.call('SET', KEYS[1], ARGV[1] .. '\nfence: ' .. fence .. '\n' .. ARGV[3], 'PX', ARGV[2])
elseif string.sub(held, 1, 32) == ARGV[1] then
    fence = string.match(held, '\nfence: (%d+)\n')
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
    return {held, redis.call('PTTL', KEYS[1])}
end
redis.call('GET', KEYS[1])
return fence
";

/// Renews the locks, of which there are [`RENEWED`] at most, and answers with the numbers of those that somebody else has, or nobody. What
/// isn't a text at all is nobody's.
const RENEW: &str = r"
local lost = {}
for number, name in ipairs(KEYS) do
    local held = redis.pcall('GET', name)
    if type(held) == 'string' and string.sub(held, 1, 32) == ARGV[number + 1] then
        redis.call('PEXPIRE', name, ARGV[1])
        redis.call('GET', name)
    else
        lost[#lost + 1] = number - 1
    end
end
return lost
";

/// How many locks are renewed by one run of the script. Redis 7.0 remembers all keys of the script
/// for each `GET`, so that twice as many take it four times as long; and it looks after nobody else
/// meanwhile.
pub(crate) const RENEWED: usize = 32;

/// Releases the lock, and answers whether there was anything to release.
const RELEASE: &str = r"
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'string' and string.sub(held, 1, 32) == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0
";

/// One script, which the server has, unless it forgot.
#[derive(Debug)]
pub(crate) struct Script {
    text: &'static str,
    digest: String,
}

/// The scripts of a session.
#[derive(Debug)]
pub(crate) struct Scripts {
    pub(crate) acquire: Script,
    pub(crate) renew: Script,
    pub(crate) release: Script,
}

impl Scripts {
    /// The texts, in the order of the digests.
    pub(crate) const TEXTS: [&'static str; 3] = [ACQUIRE, RENEW, RELEASE];

    /// With what the server calls them.
    pub(crate) fn new(digests: [String; 3]) -> Self {
        let [acquire, renew, release] = digests;
        let script = |text, digest| Script { text, digest };
        Self {
            acquire: script(ACQUIRE, acquire),
            renew: script(RENEW, renew),
            release: script(RELEASE, release),
        }
    }
}

impl Script {
    /// Runs it so many times, all in one round trip; in a second one where the server has forgotten the
    /// script. Each time is filled with how many names there are, the names and the arguments.
    pub(crate) async fn run(
        &self,
        connection: &MultiplexedConnection,
        times: usize,
        fill: impl Fn(usize, &mut Pipeline),
    ) -> Result<Vec<Value>, Fault> {
        let pipeline = |command, script: &str| {
            let mut pipeline = redis::pipe();
            for number in 0..times {
                fill(number, pipeline.cmd(command).arg(script));
            }
            pipeline
        };
        let mut connection = connection.clone();
        let known = pipeline("EVALSHA", &self.digest);
        let mut answers: RedisResult<_> = known.query_async(&mut connection).await;
        let forgotten = ErrorKind::Server(ServerErrorKind::NoScript);
        if answers
            .as_ref()
            .is_err_and(|error| error.kind() == forgotten)
        {
            let whole = pipeline("EVAL", self.text);
            answers = whole.query_async(&mut connection).await;
        }
        answers.map_err(crate::fault::of)
    }
}
