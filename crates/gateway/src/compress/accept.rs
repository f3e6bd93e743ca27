//! `Accept-Encoding`: which coding a client likes best (RFC 9110, section 12.5.3).

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// A way to write an answer shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// `br` (RFC 7932).
    Brotli,
    /// `gzip` (RFC 1952).
    Gzip,
}

impl Coding {
    /// Its name in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// The best of ours that the client takes; `None` when it would rather have the answer as it is.
pub fn best(headers: &HeaderMap) -> Option<Coding> {
    let (mut brotli, mut gzip, mut identity, mut rest) = (None, None, None, None);
    for list in headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()) {
        for item in list.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
            // What cannot be read is taken as "no": an answer that is not compressed is always understood.
            let quality = quality.map_or(1.0, |text| text.parse().unwrap_or(0.0_f32)).clamp(0.0, 1.0);
            match name.as_str() {
                "br" => brotli = Some(quality),
                "gzip" | "x-gzip" => gzip = Some(quality),
                "identity" => identity = Some(quality),
                "*" => rest = Some(quality),
                _ => {}
            }
        }
    }
    let of = |quality: Option<f32>| quality.or(rest).unwrap_or(0.0);
    let (brotli, gzip) = (of(brotli), of(gzip));
    let (coding, quality) = if brotli >= gzip { (Coding::Brotli, brotli) } else { (Coding::Gzip, gzip) };
    // Without a word on it, the answer as it is is merely acceptable.
    (quality > 0.0 && quality >= identity.unwrap_or(0.0)).then_some(coding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_ours_by_quality() {
        let of = |text: &str| best(&HeaderMap::from_iter([(ACCEPT_ENCODING, text.parse().unwrap())]));
        assert_eq!(of("gzip, deflate, br, zstd"), Some(Coding::Brotli));
        assert_eq!(of("gzip"), Some(Coding::Gzip));
        assert_eq!(of("br;q=0.5, GZIP;q=0.8"), Some(Coding::Gzip));
        assert_eq!(of("br;q=0, *"), Some(Coding::Gzip));
        assert_eq!(of("*;q=0.1"), Some(Coding::Brotli));
        for none in ["", "identity", "gzip;q=0", "gzip;q=x", "gzip;q=0.5, identity", "*;q=0", "zstd"] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(best(&HeaderMap::new()), None);
    }
}
