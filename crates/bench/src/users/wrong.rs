//! Tokens that are wrong in every way, none of which may open anything.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::{EventId, OrganizationId, Role, SessionId, SystemClock, UserId};
use platform::auth::{AUDIENCE, Claims, ISSUER};
use testkit::Issuer;

use crate::Outcome;
use crate::client::Client;
use crate::stage::Stage;

/// The ways.
const KINDS: usize = 14;

/// Sends so many wrong tokens to a service that believes the issuer; how many were refused. Each tenth is a right one, so
/// that it is seen that the service is there.
pub async fn tokens(stage: &Stage, count: usize, faults: &mut Vec<String>) -> Outcome<u64> {
    let port = stage.ports().first().copied().ok_or("there is no replica")?;
    let mut client = Client::connect(port).await?;
    let stranger = Issuer::start(Arc::new(SystemClock)).await;
    let mut refused = 0;
    for number in 0..count {
        let token = wrong(number, &stage.issuer, &stranger)?;
        let reply = client.get("/api/v1/bookings", Some(&token)).await?;
        match reply.status {
            401 => refused += 1,
            status => faults.push(format!("{status} for a wrong token of kind {}: {token}", number % KINDS)),
        }
        if number % 10 == 0 {
            let right = stage.issuer.sign(&claims());
            let status = client.get("/api/v1/bookings", Some(&right)).await?.status;
            if status != 200 {
                faults.push(format!("{status} for a right token"));
            }
        }
    }
    Ok(refused)
}

fn claims() -> Claims {
    let now = jiff_now();
    Claims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        sub: UserId::mint(),
        org: OrganizationId::mint(),
        sid: SessionId::mint(),
        roles: vec![Role::Admin],
        remit: None,
        iat: now,
        exp: now + 900,
        jti: EventId::mint().0,
        auth_time: Some(now),
        acr: None,
        scope: None,
    }
}

fn jiff_now() -> i64 {
    kernel::Clock::now(&SystemClock).as_second()
}

fn encode(json: &str) -> String {
    URL_SAFE_NO_PAD.encode(json)
}

/// A token that is wrong in one of the ways.
fn wrong(number: usize, issuer: &Issuer, stranger: &Issuer) -> Outcome<String> {
    let right = claims();
    let good = issuer.sign(&right);
    let mut parts = good.split('.');
    let (Some(head), Some(body), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("a token has three parts".into());
    };
    let hmac = |algorithm, secret: &[u8]| {
        let header = Header { kid: Some("test".into()), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, &right, &EncodingKey::from_secret(secret))
    };
    Ok(match number % KINDS {
        0 => stranger.sign(&right),
        1 => issuer.sign(&Claims { iss: "another".into(), ..right }),
        2 => issuer.sign(&Claims { aud: "another".into(), ..right }),
        3 => issuer.sign(&Claims { exp: jiff_now() - 1, ..right }),
        4 => issuer.sign(&Claims { roles: Vec::new(), ..right }),
        5 => format!("{}.{body}.", encode(r#"{"alg":"none","kid":"test"}"#)),
        6 => format!("{}.{body}.{signature}", encode(r#"{"alg":"nOnE","kid":"test"}"#)),
        7 => hmac(Algorithm::HS256, issuer.public_key_text().as_bytes())?,
        8 => hmac(Algorithm::HS512, issuer.public_key_text().as_bytes())?,
        9 => format!("{}.{body}.{signature}", encode(r#"{"alg":"EdDSA","kid":"../test"}"#)),
        10 => flipped(&good, number),
        11 => good.chars().take(number % good.len()).collect(),
        12 => format!("{head}.{}.{signature}", encode(&serde_json::to_string(&claims())?)),
        _ => URL_SAFE_NO_PAD.encode(rand::random::<[u8; 64]>()),
    })
}

/// The token with one bit of what it says or of its signature changed.
fn flipped(token: &str, number: usize) -> String {
    let parts: Vec<_> = token.split('.').collect();
    let which = 1 + number % 2;
    let changed = parts.iter().enumerate().map(|(index, part)| {
        let mut bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        if let Some(byte) = bytes.get_mut(number / 2 % part.len().max(1)).filter(|_| index == which) {
            *byte ^= 1;
        } else if index == which
            && let Some(last) = bytes.last_mut()
        {
            *last ^= 1;
        }
        URL_SAFE_NO_PAD.encode(bytes)
    });
    changed.collect::<Vec<_>>().join(".")
}
