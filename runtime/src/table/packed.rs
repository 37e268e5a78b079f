//! An entry and the text of its key in one piece of memory, and what the hash table looks at beside them.
//!
//! A million locks at once are to fit in little memory, and to be taken in little time, most of which goes by
//! waiting for memory that is in no cache. So the table has the hash itself: it grows, and passes over the
//! entries of other keys, without a look at any entry. And it has the length of the text, so that the text
//! takes up its own room only.

use super::entry::{Entry, Head};
use std::alloc::{Layout, alloc, handle_alloc_error};
use std::mem::offset_of;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

/// The box of an entry, in two words.
pub(super) struct Packed {
    /// The first byte of the entry, of which this is the only owner.
    entry: NonNull<Head>,
    length: u32,
    hash: u32,
}

// SAFETY: it is a box of an entry, which is both.
#[expect(unsafe_code, reason = "a pointer that stands for a box")]
unsafe impl Send for Packed {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a pointer that stands for a box")]
unsafe impl Sync for Packed {}

const _: () = {
    const fn is_both<T: Send + Sync>() {}
    is_both::<Head>();
};

/// A million locks at once are to fit in little memory.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Packed>() == 16);

impl Packed {
    /// An entry with a text, of which there are at most [`LONGEST`](super::record::LONGEST) bytes.
    pub(super) fn new(hash: u32, head: Head, text: &[u8]) -> Self {
        let length = u32::try_from(text.len()).expect("a text isn't longer");
        let layout = layout(text.len());
        // SAFETY: there is a head in it, so it is not of size zero.
        #[expect(unsafe_code, reason = "a box of a size of its own")]
        let memory = unsafe { alloc(layout) };
        #[expect(clippy::cast_ptr_alignment, reason = "it is that of the layout")]
        let Some(entry) = NonNull::new(memory.cast::<Head>()) else {
            handle_alloc_error(layout);
        };
        // SAFETY: the memory is new, aligned for a head, and has room for one and for the text where that is in any
        // `Entry`, whose layout is that of C: the same up to the text, which so comes after the head is written.
        #[expect(unsafe_code, reason = "as above")]
        unsafe {
            entry.write(head);
            let place = entry.cast::<u8>().add(TEXT);
            place.copy_from_nonoverlapping(NonNull::from(text).cast(), text.len());
        }
        Self {
            entry,
            length,
            hash,
        }
    }

    pub(super) const fn hash(&self) -> u32 {
        self.hash
    }

    /// The pointer of the box.
    const fn pointer(&self) -> *mut Entry {
        let text = ptr::slice_from_raw_parts_mut(self.entry.as_ptr(), self.length as usize);
        text as *mut Entry
    }
}

/// Where in an entry the text is.
const TEXT: usize = offset_of!(Head, text);

/// That of an entry with so long a text.
fn layout(length: usize) -> Layout {
    let bytes = Layout::from_size_align(TEXT + length, align_of::<Head>());
    let bytes = bytes.expect("a text is in memory, and so far shorter than memory is");
    bytes.pad_to_align()
}

impl Deref for Packed {
    type Target = Entry;

    #[inline]
    fn deref(&self) -> &Entry {
        // SAFETY: `new` has written an entry there, with a text of this length.
        #[expect(unsafe_code, reason = "the box is one of two words")]
        unsafe {
            &*self.pointer()
        }
    }
}

impl DerefMut for Packed {
    #[inline]
    fn deref_mut(&mut self) -> &mut Entry {
        // SAFETY: as above, and nobody else has a pointer to it.
        #[expect(unsafe_code, reason = "the box is one of two words")]
        unsafe {
            &mut *self.pointer()
        }
    }
}

impl Drop for Packed {
    fn drop(&mut self) {
        // SAFETY: the entry is there, and its layout is the one that `new` has allocated.
        #[expect(unsafe_code, reason = "it is a box again")]
        drop(unsafe { Box::from_raw(self.pointer()) });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::owner::Owner;
    use crate::site::{Record, Site};
    use crate::table::occupant::Occupant;
    use crate::table::place::Ticket;
    use crate::table::policy::{Mode, Policy};

    #[test]
    fn text_of_any_length_stands_behind_its_entry() {
        let (owner, site) = (Owner::UNKNOWN, Site::here());
        let holder = Occupant::new(Record { owner, site });
        let policy = Policy {
            permits: 3,
            fair: true,
        };
        for length in (0..200).chain([10_000]) {
            let text: Vec<u8> = (b'a'..=b'z').cycle().take(length).collect();
            let head = Head::new((1, false), 2, policy, Mode::Shared, (Ticket::FIRST, holder));
            let mut entry = Packed::new(5, head, &text);
            // It has a box of its own from here on, which is freed with it.
            entry.held_also(Ticket::draw(), holder);
            assert_eq!(entry.text, *text);
            assert_eq!((entry.number, entry.space, entry.hash()), (1, 2, 5));
            let bytes = layout(length).size();
            assert_eq!((entry.holder_count(), size_of_val(&*entry)), (2, bytes));
        }
    }
}
