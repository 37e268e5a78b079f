#[synchronized(key = self.id, locks = self.locks, guard = guard)]
fn detach(&mut self, disk: &str) -> Option<&mut Disk> {
    drop(guard);
    self.disks.get_mut(disk)
}

// Expands to:

fn detach(&mut self, disk: &str) -> Option<&mut Disk> {
    let __begun = ::lockutils::__private::Space::begin(
        &(self.locks),
        &(self.id),
        ::lockutils::__private::Mode::Exclusive,
        ::lockutils::__private::site(const {
            &::lockutils::__private::Function::new("detach")
        }),
    );
    let guard = match __begun.block() {
        ::core::result::Result::Ok(__guard) => __guard,
        ::core::result::Result::Err(__failure) => {
            return ::lockutils::__private::FromFailure::from_failure(
                ::core::convert::identity(__failure),
            );
        }
    };
    {
        ({
            drop(guard);
            self.disks.get_mut(disk)
        })
    }
}
