#[synchronized(key = self.id, nonblocking)]
fn start<'life0, 'async_trait>(
    &'life0 self,
    id: u32,
) -> ::core::pin::Pin<
    Box<dyn ::core::future::Future<Output = Result<u32, Error>> + Send + 'async_trait>,
>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        if let Some(__ret) = None::<Result<u32, Error>> {
            return __ret;
        }
        let __self = self;
        let id = id;
        let __ret: Result<u32, Error> = { Ok(__self.boot(id).await) };
        __ret
    })
}

// Expands to:

fn start<'life0, 'async_trait>(
    &'life0 self,
    id: u32,
) -> ::core::pin::Pin<
    Box<dyn ::core::future::Future<Output = Result<u32, Error>> + Send + 'async_trait>,
>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        let __task = ::lockutils::__private::Task::current().await;
        let __begun = ::lockutils::__private::begin_global_async(
            &(self.id),
            const { &::lockutils::__private::Function::new("start") },
            __task,
        );
        let __guard = match __begun.try_async().await {
            ::core::result::Result::Ok(__guard) => __guard,
            ::core::result::Result::Err(__failure) => {
                return ::lockutils::__private::FromFailure::from_failure(
                    ::core::convert::identity(__failure),
                );
            }
        };
        {
            ({
                if let Some(__ret) = None::<Result<u32, Error>> {
                    return __ret;
                }
                let __self = self;
                let id = id;
                let __ret: Result<u32, Error> = { Ok(__self.boot(id).await) };
                __ret
            })
        }
    })
}
