//! Many read, now and then one writes: `shared`.
//!
//! Exchange rates are cached in a file for each currency. Readers of a currency share its
//! lock and read at the same time; a refresh, which writes the file anew, has it alone.
//! Without the lock a reader would now and then find half a file.
//!
//! Here readers read while the file is written again and again. A `shared` hold is never
//! kept out by another, and writers aren't kept out for ever by readers.
//!
//! ```text
//! cargo run --example cache
//! ```

use lockutils::{Locks, synchronized};
use std::io::Write;
use std::path::Path;
use std::{fs, io, thread};

static RATES: Locks = Locks::new("rates");

const DAYS: usize = 100;
const REFRESHES: u32 = 10;

/// Reads the rates of all days, which are the same in this story.
#[synchronized(key = currency, locks = RATES, shared)]
fn read(cache: &Path, currency: &str) -> io::Result<Vec<u32>> {
    let text = fs::read_to_string(cache.join(currency))?;
    let rates = text.lines().map(str::parse);
    rates.collect::<Result<_, _>>().map_err(io::Error::other)
}

/// Writes what the bank says now.
#[synchronized(key = currency, locks = RATES)]
fn refresh(cache: &Path, currency: &str, rate: u32) -> io::Result<()> {
    let mut file = fs::File::create(cache.join(currency))?;
    // The file is empty now, and grows line by line. Nobody sees it.
    (0..DAYS).try_for_each(|_| writeln!(file, "{rate}"))
}

/// Reads until the last refresh has been, and counts.
fn read_all(cache: &Path) -> io::Result<u32> {
    for reads in 1.. {
        let rates = read(cache, "chf")?;
        assert_eq!(rates.len(), DAYS, "a whole file");
        assert!(rates.iter().all(|rate| *rate == rates[0]), "{rates:?}");
        if rates[0] == REFRESHES {
            return Ok(reads);
        }
    }
    unreachable!("the last refresh comes sooner")
}

fn main() -> io::Result<()> {
    let directory = tempfile::tempdir()?;
    let cache = directory.path();
    refresh(cache, "chf", 0)?;

    let reads = thread::scope(|scope| {
        let readers = [(); 3].map(|()| scope.spawn(|| read_all(cache)));
        (1..=REFRESHES).try_for_each(|rate| refresh(cache, "chf", rate))?;
        let reads = readers.map(|reader| reader.join().expect("only whole files"));
        reads.into_iter().sum::<io::Result<u32>>()
    })?;
    println!("{REFRESHES} refreshes, and {reads} reads of a whole file each");

    // One that reads doesn't keep another from it, but does keep out a writer.
    let reading = RATES.key("chf").shared().lock();
    thread::scope(|scope| scope.spawn(|| read(cache, "chf")).join()).expect("a read")?;
    assert!(RATES.key("chf").try_lock().is_err());
    drop(reading);
    Ok(())
}
