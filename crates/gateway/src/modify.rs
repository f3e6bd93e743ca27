//! Applying `modifier/martian` to requests and answers.

use http::{HeaderMap, Response};
use url::Url;

use crate::body::ResponseBody;
use crate::config::Change;

/// Changes a request on its way to a backend.
pub fn request(changes: &[Change], url: &mut Url, all: &mut HeaderMap) {
    for change in changes {
        if let Change::Query(name, value) = change {
            let kept = url
                .query_pairs()
                .filter(|(key, _)| key != name)
                .map(|(key, value)| (key.into_owned(), value.into_owned()));
            let pairs: Vec<(String, String)> = kept.chain([(name.clone(), value.clone())]).collect();
            url.set_query(Some(&crate::escape::join(pairs)));
        } else {
            headers(change, all);
        }
    }
}

/// Changes a backend's answer before anyone judges it.
pub fn response(changes: &[Change], answer: &mut Response<ResponseBody>) {
    for change in changes {
        if let Change::Status(status) = change {
            *answer.status_mut() = *status;
        } else {
            headers(change, answer.headers_mut());
        }
    }
}

fn headers(change: &Change, all: &mut HeaderMap) {
    match change {
        Change::Set(name, value) => drop(all.insert(name, value.clone())),
        Change::Append(name, value) => drop(all.append(name, value.clone())),
        Change::Remove(names) => names.iter().for_each(|name| drop(all.remove(name))),
        Change::Copy(from, to) => {
            if let Some(value) = all.get(from).cloned() {
                all.insert(to, value);
            }
        }
        Change::Query(..) | Change::Status(_) => {}
    }
}
