//! The scripts that the server runs, each as one step that nobody sees half of.
//!
//! Who has a lock, or wants it, has read its key after the last change of its own, so that the
//! server tells of the next one: see `watch.rs`.

use lockutils_remote::Fault;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, Pipeline, RedisResult, ServerErrorKind, Value};

/// What grants a lock, as the scripts call it: `now` is the server's time in microseconds, `token` makes the fencing token, and `grant` writes it and the claim
/// to the lock's key, with a lease in milliseconds.
///
/// The token is the server's time in microseconds, or the last one plus one, which is kept at
/// `last`. A number of Lua has 53 bits, which last till the year 2255. `GETSET` and not `GET`, as the
/// server would tell of each change of what was read; and no key of the script, as Redis 7.0
/// takes all of them for read with each `GET`. Nor is anything of a queue read but by what writes.
macro_rules! grant {
    () => {
        r"
local function now()
    local time = redis.call('TIME')
    return time[1] * 1000000 + time[2]
end
local function token(last)
    local new = now()
    local former = tonumber(redis.call('GETSET', last, string.format('%.0f', new)) or 0)
    if former >= new then
        new = former + 1
        redis.call('SET', last, string.format('%.0f', new))
    end
    return string.format('%.0f', new)
end
local function grant(name, nonce, lease, record, fence)
    redis.call('SET', name, nonce .. '\nfence: ' .. fence .. '\n' .. record, 'PX', lease)
end
"
    };
}

/// What takes a claim out of a queue, also its places of former sessions. The server may believe for long that
/// their connections are alive, and hand the lock to who has given up. When each place was asked for last is kept beside
/// the queue, by what the place begins with.
macro_rules! leave {
    () => {
        r"
local function forget(queue, asked, place)
    if redis.call('ZREM', queue, place) == 1 then
        redis.pcall('ZREM', asked, string.sub(place, 1, 48))
    end
end
local function leave(queue, asked, place, former)
    forget(queue, asked, place)
    for session in string.gmatch(former, string.rep('%x', 16)) do
        forget(queue, asked, string.sub(place, 1, 32) .. session .. string.sub(place, 49))
    end
end
"
    };
}

/// Takes the lock, `KEYS[1]`, and answers with the fencing token; or with the value and the
/// milliseconds that it has left, if somebody else has it. Whoever has it already, as one who
/// asks again may, gets the same token, and a new lease. Who waits has its place, `ARGV[1]`, in the queue,
/// `ARGV[5]`, and keeps it when it asks again, which `ARGV[8]` has the time of;
/// both end so many milliseconds as `ARGV[9]` says, or a lease, after the last who does.
const ACQUIRE: &str = concat!(
    grant!(),
    leave!(),
    r"
local held = redis.call('GET', KEYS[1])
local place, lease, record = ARGV[1], ARGV[2], ARGV[3]
local nonce = string.sub(place, 1, 32)
local fence
if not held then
    -- What may fail comes before the grant: first what does if the memory is full.
    fence = token(ARGV[4])
    leave(ARGV[5], ARGV[8], place, ARGV[7])
    grant(KEYS[1], nonce, lease, record, fence)
elseif string.sub(held, 1, 32) == nonce then
    fence = string.match(held, '\nfence: (%d+)\n')
    redis.call('PEXPIRE', KEYS[1], lease)
else
    if ARGV[6] == 'waits' then
        local time = string.format('%.0f', now())
        local joined = redis.pcall('ZADD', ARGV[5], 'NX', time, place)
        if type(joined) == 'number' then
            redis.pcall('ZADD', ARGV[8], time, string.sub(place, 1, 48))
            for _, key in ipairs({ARGV[5], ARGV[8]}) do
                -- Not the lease alone, as others may have longer ones. Places of the dead are passed over anyhow.
                redis.call('PEXPIRE', key, math.max(lease, ARGV[9]))
            end
        elseif not string.find(joined.err, 'OOM', 1, true) then
            return joined
        end
    else
        -- It has no place there. A server that has become a replica refuses to write, and must not say that the lock is
        -- busy: what it has is old, and the lock is another one's to give.
        redis.call('ZREM', ARGV[5], place)
    end
    return {held, redis.call('PTTL', KEYS[1])}
end
redis.call('GET', KEYS[1])
return fence
"
);

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

/// Releases the lock, or leaves its queue, and answers whether it was held. Whoever waits for it
/// first has it from then on, and is told so, if its session listens still, and has asked within two thirds of
/// its lease, as who waits does each third: a process that was paused, or that the network has lost, is passed over
/// and asks again when it goes on. Told behind the grant, so that
/// nobody believes in one that has failed. `PUBLISH` would count those as well who listen to all channels.
/// `ZADD` and not `ZSCORE`, as the server would tell of each change of what was read.
const RELEASE: &str = concat!(
    grant!(),
    leave!(),
    r"
local held = redis.pcall('GET', KEYS[1])
local last, queue, channels, asked = ARGV[2], ARGV[3], ARGV[4], ARGV[6]
local own = string.sub(ARGV[1], 1, 32)
leave(queue, asked, ARGV[1], ARGV[5])
if type(held) ~= 'string' or string.sub(held, 1, 32) ~= own then
    return 0
end
while true do
    local first = redis.call('ZPOPMIN', queue)[1]
    if not first then
        return redis.call('DEL', KEYS[1])
    end
    local nonce, channel = string.sub(first, 1, 32), channels .. string.sub(first, 33, 48)
    local lease, record = string.match(first, '^ (%d+)\n(.*)$', 49)
    local since = redis.pcall('ZADD', asked, 'XX', 'INCR', 0, string.sub(first, 1, 48))
    redis.pcall('ZREM', asked, string.sub(first, 1, 48))
    -- In milliseconds. Who came with a former version of this script has asked at no known time, and so has each if
    -- somebody has written something else there.
    local silence = type(since) == 'string' and (now() - since) / 1000 or 0
    -- Its own place may be left of a session that isn't known any more.
    if lease and nonce ~= own and silence < lease * 2 / 3 and redis.call('PUBSUB', 'NUMSUB', channel)[2] > 0 then
        -- Without a token nobody is granted it, and it is free.
        local has_token, fence = pcall(token, last)
        if has_token then
            grant(KEYS[1], nonce, lease, record, fence)
            redis.call('PUBLISH', channel, nonce .. fence .. '\n' .. KEYS[1])
            return 1
        end
    end
end
"
);

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
