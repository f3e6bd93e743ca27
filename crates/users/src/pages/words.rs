//! What the pages say, in the languages that they know.

use super::Page;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Portuguese.
    Pt,
    /// Spanish.
    Es,
}

impl Language {
    /// The one that a reader likes best (`Accept-Language`, RFC 9110, section 12.5.4); English when none is known.
    #[must_use]
    pub fn of(accepted: &str) -> Self {
        let weighted = accepted.split(',').filter_map(|range| {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let language = match tag.trim().split('-').next()?.to_ascii_lowercase().as_str() {
                "en" | "*" => Self::En,
                "pt" => Self::Pt,
                "es" => Self::Es,
                _ => return None,
            };
            let weight =
                parameters.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.parse::<f32>().ok())?;
            (weight > 0.0).then_some((language, weight))
        });
        // The first of those that are liked equally.
        let best = weighted.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map_or(Self::En, |(language, _)| language)
    }

    /// Its tag (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Pt => "pt",
            Self::Es => "es",
        }
    }
}

/// What one page says.
#[derive(Debug)]
pub struct Words {
    /// The title and heading.
    pub title: &'static str,
    /// What the button does.
    pub intro: &'static str,
    /// The button.
    pub button: &'static str,
    /// When it is done.
    pub done: &'static str,
}

/// What all pages say.
#[derive(Debug)]
pub struct Common {
    /// The label of a new password.
    pub password: &'static str,
    /// When the link has no token.
    pub missing: &'static str,
    /// When the link is worth nothing.
    pub invalid: &'static str,
    /// When nobody answers.
    pub failed: &'static str,
    /// When the browser runs no scripts.
    pub script: &'static str,
}

const fn words(title: &'static str, intro: &'static str, button: &'static str, done: &'static str) -> Words {
    Words { title, intro, button, done }
}

/// What a page says in a language.
#[must_use]
pub const fn of(page: Page, language: Language) -> Words {
    match language {
        Language::En => english(page),
        Language::Pt => portuguese(page),
        Language::Es => spanish(page),
    }
}

const fn english(page: Page) -> Words {
    match page {
        Page::VerifyEmail => words(
            "Verify your e-mail address",
            "Show that this address is yours.",
            "Verify the address",
            "Your address is verified. You can sign in now.",
        ),
        Page::ConfirmEmail => words(
            "Confirm your new e-mail address",
            "From then on you sign in with it, and mails go to it.",
            "Confirm the new address",
            "Your account has the new address.",
        ),
        Page::AcceptInvitation => words(
            "Accept the invitation",
            "Choose a password: several words are better than one with signs in it.",
            "Make the account",
            "Your account is ready. You can sign in now.",
        ),
        Page::ResetPassword => words(
            "Set a new password",
            "Whoever is signed in with your account will be signed out.",
            "Set the password",
            "Your password is set. You can sign in with it now.",
        ),
    }
}

const fn portuguese(page: Page) -> Words {
    match page {
        Page::VerifyEmail => words(
            "Confirme o seu endereço de e-mail",
            "Mostre que este endereço é seu.",
            "Confirmar o endereço",
            "O seu endereço está confirmado. Já pode iniciar sessão.",
        ),
        Page::ConfirmEmail => words(
            "Confirme o seu novo endereço de e-mail",
            "A partir daí inicia sessão com ele e recebe nele as mensagens.",
            "Confirmar o novo endereço",
            "A sua conta tem o novo endereço.",
        ),
        Page::AcceptInvitation => words(
            "Aceite o convite",
            "Escolha uma palavra-passe: várias palavras são melhores do que uma só com símbolos.",
            "Criar a conta",
            "A sua conta está pronta. Já pode iniciar sessão.",
        ),
        Page::ResetPassword => words(
            "Defina uma nova palavra-passe",
            "Todas as sessões iniciadas com a sua conta serão terminadas.",
            "Definir a palavra-passe",
            "A sua palavra-passe está definida. Já pode iniciar sessão com ela.",
        ),
    }
}

const fn spanish(page: Page) -> Words {
    match page {
        Page::VerifyEmail => words(
            "Verifique su dirección de correo",
            "Demuestre que esta dirección es suya.",
            "Verificar la dirección",
            "Su dirección está verificada. Ya puede iniciar sesión.",
        ),
        Page::ConfirmEmail => words(
            "Confirme su nueva dirección de correo",
            "A partir de entonces inicia sesión con ella y recibe en ella los mensajes.",
            "Confirmar la nueva dirección",
            "Su cuenta tiene la nueva dirección.",
        ),
        Page::AcceptInvitation => words(
            "Acepte la invitación",
            "Elija una contraseña: varias palabras son mejores que una sola con símbolos.",
            "Crear la cuenta",
            "Su cuenta está lista. Ya puede iniciar sesión.",
        ),
        Page::ResetPassword => words(
            "Establezca una nueva contraseña",
            "Se cerrarán todas las sesiones abiertas con su cuenta.",
            "Establecer la contraseña",
            "Su contraseña está establecida. Ya puede iniciar sesión con ella.",
        ),
    }
}

/// What all pages say in a language.
#[must_use]
pub const fn common(language: Language) -> Common {
    match language {
        Language::En => Common {
            password: "New password",
            missing: "The link is not whole. Open it again from the mail.",
            invalid: "The link was used, has expired, or was replaced by a later one. Ask for another.",
            failed: "Nobody answers. Try again in a moment.",
            script: "This page needs JavaScript.",
        },
        Language::Pt => Common {
            password: "Nova palavra-passe",
            missing: "A ligação não está completa. Abra-a de novo a partir da mensagem.",
            invalid: "A ligação já foi usada, expirou ou foi substituída por outra mais recente. Peça uma nova.",
            failed: "Ninguém responde. Tente de novo dentro de momentos.",
            script: "Esta página precisa de JavaScript.",
        },
        Language::Es => Common {
            password: "Nueva contraseña",
            missing: "El enlace no está completo. Ábralo de nuevo desde el mensaje.",
            invalid: "El enlace ya se usó, caducó o fue reemplazado por otro más reciente. Pida uno nuevo.",
            failed: "Nadie responde. Inténtelo de nuevo en un momento.",
            script: "Esta página necesita JavaScript.",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_that_is_liked_best() {
        for (accepted, language) in [
            ("", Language::En),
            ("pt", Language::Pt),
            ("PT-br;q=0.8, es;q=0.9", Language::Es),
            ("de-AT, pt;q=0.5, en;q=0.4", Language::Pt),
            ("es;q=0, *;q=0.1", Language::En),
            ("fr, zz;q=x", Language::En),
            ("es, pt", Language::Es),
        ] {
            assert_eq!(Language::of(accepted), language, "{accepted}");
        }
    }
}
