//! Combines errors, so that one build shows all of them.

use syn::Result;

/// Both values, or the errors of both.
pub(crate) fn both<A, B>(a: Result<A>, b: Result<B>) -> Result<(A, B)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(mut error), Err(more)) => {
            error.combine(more);
            Err(error)
        }
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// Nothing, or the errors of all.
pub(crate) fn all(results: impl IntoIterator<Item = Result<()>>) -> Result<()> {
    let join = |all, result| both(all, result).map(|((), ())| ());
    results.into_iter().fold(Ok(()), join)
}

/// All values, or the errors of all.
pub(crate) fn each<T>(results: impl IntoIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let push = |(mut all, value): (Vec<T>, T)| {
        all.push(value);
        all
    };
    let join = |all, result| both(all, result).map(push);
    results.into_iter().fold(Ok(Vec::new()), join)
}
