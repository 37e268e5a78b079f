//! What is said to the server.
//!
//! A lock is `pg_try_advisory_lock`, which never waits, so that one connection serves all who do. With
//! it goes `nextval`, for the fence, which no standby can give.
//!
//! Who waits shares the lock's twin. It is registered before the lock is tried once more, and who
//! releases unlocks before it looks whether anybody has the twin. So one of the two sees the other: no
//! release is missed. It looks by trying to have the twin alone, for the length of the statement.
//! Only with somebody there does it notify, since each notification takes a lock of the whole
//! server until its transaction has ended.

/// The channel of the notifications. What they say is the number of the lock.
pub(crate) const CHANNEL: &str = "lockutils";

/// How a lock is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// By somebody who doesn't wait.
    Once,
    /// By somebody who will have the twin if the lock is busy.
    Join,
    /// By somebody who has it, and gives it back with the grant.
    Stay,
}

/// Makes what [`LOOK`] misses. It is one transaction, and one at a time.
pub(crate) const MAKE: &str = "\
SELECT pg_advisory_xact_lock(hashtextextended('lockutils', 0)); \
CREATE SEQUENCE IF NOT EXISTS public.lockutils_fence; \
CREATE UNLOGGED TABLE IF NOT EXISTS public.lockutils_holders (lock bigint NOT NULL, \
backend integer NOT NULL, nonce text NOT NULL, prefix text NOT NULL, fence bigint NOT NULL, \
holder text NOT NULL); \
CREATE INDEX IF NOT EXISTS lockutils_holders_lock ON public.lockutils_holders (lock);";

/// What an owner of the schema runs for somebody who may not, behind [`MAKE`].
pub(crate) fn grant(role: &str) -> String {
    let role = role.replace('"', "\"\"");
    format!(
        "GRANT USAGE ON SCHEMA public TO \"{role}\"; \
         GRANT USAGE ON SEQUENCE public.lockutils_fence TO \"{role}\"; \
         GRANT SELECT, INSERT, DELETE ON public.lockutils_holders TO \"{role}\";"
    )
}

/// What is to be known of a server and of this session before anything is changed. To look for what is in a
/// schema that the role may not use is an error.
pub(crate) const LOOK: &str = "\
SELECT pg_backend_pid(), pg_is_in_recovery(), current_user, \
CASE WHEN pg_is_in_recovery() THEN '0' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END, \
CASE WHEN has_schema_privilege(to_regnamespace('public'), 'USAGE') THEN \
to_regclass('public.lockutils_fence') IS NOT NULL AND \
to_regclass('public.lockutils_holders') IS NOT NULL ELSE false END, \
CASE WHEN has_schema_privilege(to_regnamespace('public'), 'USAGE') THEN \
CASE WHEN to_regclass('public.lockutils_fence') IS NULL \
OR to_regclass('public.lockutils_holders') IS NULL THEN false \
ELSE has_sequence_privilege('public.lockutils_fence', 'USAGE') \
AND has_table_privilege('public.lockutils_holders', 'SELECT') \
AND has_table_privilege('public.lockutils_holders', 'INSERT') \
AND has_table_privilege('public.lockutils_holders', 'DELETE') END ELSE false END";

/// Ends what somebody who had the session before has left in it. `DISCARD ALL` would do away with its name and its encoding as well.
pub(crate) const RESET: &str = "DEALLOCATE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all()";

/// Makes the session what it is to be, with times in milliseconds.
pub(crate) fn settle(lease: u32, answer_timeout: u32) -> String {
    // The fence of a grant that was told must outlive the server. Who wants more than that keeps it.
    // The server gives up on a host that is gone, too, while it has something to tell to it.
    // A role may have its transactions see one state, and then fail what another one has changed since, as the rows of
    // the dead, which all who begin delete. BEGIN names it too, since SET counts from the next transaction on.
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; \
         SET default_transaction_isolation = 'read committed'; \
         SELECT set_config('synchronous_commit', 'on', false) \
         WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply'); \
         SET idle_session_timeout = {lease}; SET tcp_user_timeout = {lease}; \
         SET statement_timeout = {answer_timeout}; SET lock_timeout = {answer_timeout}; \
         SET search_path = pg_catalog; \
         LISTEN {CHANNEL}; \
         DELETE FROM public.lockutils_holders WHERE backend = pg_backend_pid() \
         OR NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = backend); \
         COMMIT;"
    )
}

/// Acquires the lock `$1`, whose twin is `$2`: the backend, and the fence or nothing.
pub(crate) fn acquire(shared: bool, ask: Ask) -> String {
    let suffix = if shared { "_shared" } else { "" };
    let lock = format!("pg_try_advisory_lock{suffix}($1)");
    let fence = "nextval('public.lockutils_fence')";
    let left = format!("CASE WHEN pg_advisory_unlock_shared($2) THEN {fence} END");
    let cases = match ask {
        Ask::Once => format!("WHEN {lock} THEN {fence}"),
        Ask::Join => format!(
            "WHEN {lock} THEN {fence} WHEN pg_advisory_lock_shared($2) IS NULL THEN NULL \
             WHEN {lock} THEN {left}"
        ),
        Ask::Stay => format!("WHEN {lock} THEN {left}"),
    };
    format!("SELECT pg_backend_pid(), CASE {cases} END")
}

/// Releases the lock `$1`, whose twin is `$2`: whether it was there.
pub(crate) fn release(shared: bool) -> String {
    let suffix = if shared { "_shared" } else { "" };
    format!(
        "SELECT CASE WHEN NOT pg_advisory_unlock{suffix}($1) THEN false \
         WHEN pg_try_advisory_xact_lock($2) THEN true \
         ELSE (SELECT true FROM pg_notify('{CHANNEL}', $1::text)) END"
    )
}

/// Gives back the twin, `$1`.
pub(crate) const LEAVE: &str = "SELECT pg_advisory_unlock_shared($1)";

/// Acquires the lock `$1` for a transaction.
pub(crate) const LOCK_IN: &str = "SELECT pg_advisory_xact_lock($1)";

/// Writes down who has these locks.
pub(crate) const NOTE: &str = "\
INSERT INTO public.lockutils_holders \
SELECT lock, pg_backend_pid(), nonce, $1, fence, holder \
FROM unnest($2::int8[], $3::text[], $4::int8[], $5::text[]) AS held (lock, nonce, fence, holder)";

/// Strikes out that the lock `$1` was had by the nonce `$2`.
pub(crate) const STRIKE: &str = "\
DELETE FROM public.lockutils_holders \
WHERE lock = $1 AND nonce = $2 AND backend = pg_backend_pid()";

/// Who has the lock `$1`, for somebody who can't have it: by what is written down, if its session lives. Only if nothing
/// is, by all locks of the server, which it copies to look at one: a hundred times as much work.
pub(crate) const IN_THE_WAY: &str = "\
WITH noted AS MATERIALIZED (\
SELECT application_name, holder, fence \
FROM public.lockutils_holders, pg_stat_get_activity(backend) \
WHERE lock = $1 AND application_name LIKE 'lockutils %') \
SELECT $1, application_name, holder, fence, 0::bigint FROM noted \
UNION ALL \
SELECT $1, application_name, NULL, NULL, 0::bigint \
FROM pg_locks LEFT JOIN pg_stat_get_activity(pg_locks.pid) AS activity ON true \
WHERE NOT EXISTS (SELECT FROM noted) \
AND locktype = 'advisory' AND objsubid = 1 AND granted \
AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
AND (classid::bigint << 32) | objid::bigint = $1 \
ORDER BY fence DESC";

/// Who has the lock `$1`, or without one, all of prefix `$2` and those that are not written down yet.
pub(crate) const HOLDERS: &str = "\
WITH locks AS MATERIALIZED (\
SELECT (classid::bigint << 32) | objid::bigint AS lock, pid, granted FROM pg_locks \
WHERE locktype = 'advisory' AND objsubid = 1 \
AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
AND ($1::bigint IS NULL \
OR ((classid::bigint << 32) | objid::bigint) & 9223372036854775807 = $1)), \
waiting AS (SELECT lock & 9223372036854775807 AS lock, count(*) AS number FROM locks \
WHERE lock < 0 OR NOT granted GROUP BY 1) \
SELECT locks.lock, application_name, holder, fence, coalesce(number, 0) \
FROM locks LEFT JOIN waiting ON waiting.lock = locks.lock \
LEFT JOIN pg_stat_activity ON pg_stat_activity.pid = locks.pid \
LEFT JOIN public.lockutils_holders AS held ON held.lock = locks.lock AND backend = locks.pid \
WHERE granted AND CASE WHEN $1::bigint IS NULL \
THEN locks.lock >= 0 AND (prefix = $2::text OR prefix IS NULL AND application_name LIKE 'lockutils %') \
ELSE locks.lock = $1 END \
ORDER BY fence, locks.lock";
