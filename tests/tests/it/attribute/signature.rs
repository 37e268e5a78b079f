//! That an annotated function is still the function that it was.

use lockutils::{Locks, synchronized};
use lockutils_tests::{in_time, yield_now};
use pollster::block_on;
use std::any;

#[test]
fn function_keeps_its_name_and_type() {
    /// Adds.
    #[synchronized]
    #[must_use]
    fn add<T: Into<u64>>(a: T, b: &mut u64) -> u64 {
        *b += a.into();
        *b
    }
    in_time(|| {
        let pointer: fn(u8, &mut u64) -> u64 = add;
        assert_eq!(pointer(3, &mut 4), 7);
        let name = any::type_name_of_val(&add::<u8>);
        assert!(name.contains("::add<"), "{name}");
    });
}

#[test]
fn function_may_return_a_borrow_of_self() {
    struct Pool {
        free: Vec<String>,
    }
    impl Pool {
        #[synchronized("signature::pool")]
        fn first(&mut self) -> Option<&mut String> {
            self.free.first_mut()
        }
        #[synchronized("signature::pool")]
        async fn last(&mut self) -> Option<&mut String> {
            yield_now().await;
            self.free.last_mut()
        }
    }
    in_time(|| {
        let mut pool = Pool {
            free: vec!["a".to_owned(), "z".to_owned()],
        };
        pool.first().unwrap().push('1');
        block_on(pool.last()).unwrap().push('2');
        assert_eq!(pool.free, ["a1", "z2"]);
    });
}

#[test]
#[synchronized("signature::test")]
fn test_may_be_annotated() {
    assert!(lockutils::is_locked("signature::test"));
}

#[tokio::test]
#[synchronized("signature::below")]
async fn tokio_test_may_be_annotated_below() {
    assert!(lockutils::is_locked("signature::below"));
    yield_now().await;
    assert!(lockutils::is_locked("signature::below"));
}

#[synchronized("signature::above")]
#[tokio::test]
async fn tokio_test_may_be_annotated_above() {
    assert!(lockutils::is_locked("signature::above"));
    yield_now().await;
    assert!(lockutils::is_locked("signature::above"));
}

static CELLS: Locks = Locks::new("signature::cells");

#[rustfmt::skip] // The site is the attribute's line.
const CONNECT: u32 = line!() + 1;
#[synchronized(key = uuid, locks = CELLS)]
fn connect(uuid: &str) -> String {
    CELLS.key(uuid).try_lock().unwrap_err().to_string()
}

#[rustfmt::skip]
const CONNECT_ASYNC: u32 = line!() + 1;
#[synchronized(key = uuid, locks = CELLS)]
async fn connect_async(uuid: &str) -> String {
    CELLS.key(uuid).try_lock().unwrap_err().to_string()
}

#[test]
fn error_names_the_annotated_function_and_the_attribute() {
    in_time(|| {
        let test = "attribute::signature::error_names_the_annotated_function_and_the_attribute";
        let (file, lock) = (file!(), "lock \"signature::cells/2f1c\" is busy");
        assert_eq!(
            connect("2f1c"),
            format!("{lock}: held by connect ({file}:{CONNECT}) in thread \"{test}\"")
        );
        assert_eq!(
            block_on(connect_async("2f1c")),
            format!("{lock}: held by connect_async ({file}:{CONNECT_ASYNC}) in an async task")
        );
    });
}
