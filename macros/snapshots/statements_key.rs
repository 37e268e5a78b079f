#[synchronized(key = id)]
fn start(id: u32) -> impl Future<Output = u32> {
    let id = id * 100;
    async move { id }
}

// Expands to:

fn start(id: u32) -> impl Future<Output = u32> {
    let __key = ::lockutils::__private::key(&(id));
    let no_return_before_the_block;
    let a_return_before_this_block_skips_the_lock = ();
    no_return_before_the_block = ::lockutils::__private::Passed(
        &a_return_before_this_block_skips_the_lock,
    );
    {
        ({
            let id = id * 100;
            no_return_before_the_block.pass();
            async move {
                let __task = ::lockutils::__private::Task::current().await;
                let __begun = ::lockutils::__private::begin_global_async(
                    &__key,
                    const { &::lockutils::__private::Function::new("start") },
                    __task,
                );
                let __guard = __begun.await;
                { ({ id }) }
            }
        })
    }
}
