//! An organization's colours in a page, and the colour of letters that can be read on them.

use contracts::users::Branding;
use serde::Serialize;

/// Colours, as `#rrggbb`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Brand {
    /// Of buttons.
    pub primary: String,
    /// Of letters on buttons: black or white, whichever is read better (WCAG 2.2, contrast ratio).
    pub ink: &'static str,
    /// Of what stands out beside them.
    pub accent: String,
}

impl Brand {
    /// The colours that an organization has set.
    #[must_use]
    pub fn of(branding: &Branding) -> Self {
        let light = luminance(&branding.primary);
        // (1 + 0.05) / (light + 0.05) is the contrast to white, (light + 0.05) / 0.05 that to black.
        let ink = if 1.05 * 0.05 > (light + 0.05) * (light + 0.05) { "#ffffff" } else { "#000000" };
        Self { primary: branding.primary.clone(), ink, accent: branding.accent.clone() }
    }
}

/// Relative luminance, 0 to 1 (WCAG 2.2); of what is no colour, that of black.
fn luminance(colour: &str) -> f64 {
    let channel = |from: usize| {
        let value = colour.get(from..from + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let share = f64::from(value.unwrap_or(0)) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_can_be_read_on_any_colour() {
        for (primary, ink) in [
            ("#000000", "#ffffff"),
            ("#1a5fb4", "#ffffff"),
            ("#ffffff", "#000000"),
            ("#ffff00", "#000000"),
            ("#ff0000", "#000000"),
            ("", "#ffffff"),
        ] {
            let brand = Brand::of(&Branding { primary: primary.into(), accent: "#26a269".into() });
            assert_eq!(brand.ink, ink, "{primary}");
            let light = luminance(primary);
            let contrast = if ink == "#ffffff" { 1.05 / (light + 0.05) } else { (light + 0.05) / 0.05 };
            assert!(contrast >= 4.5, "{primary}: {contrast}");
        }
    }
}
