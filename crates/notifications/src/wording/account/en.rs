//! Mails about accounts in English.

use super::{Said, Words};

pub const WORDS: Words = Words {
    link: "The link works once, until {until}.",
    not_you: "If it was not you, set a new password and tell your administrator.",
    email_verification: Said {
        subject: "Verify your e-mail address",
        message: "an account was made with this address. If it was you, show that the address is yours.",
        button: "Verify the address",
    },
    invitation: Said {
        subject: "You are invited",
        message: "you are invited to make an account.",
        button: "Accept the invitation",
    },
    email_change: Said {
        subject: "Confirm your new e-mail address",
        message: "an account is to have this address from now on. If it is yours, confirm it.",
        button: "Confirm the address",
    },
    email_change_asked: Said {
        subject: "Your account is to have another e-mail address",
        message: "somebody who knows your password asked for another e-mail address for your account. It changes when the owner of that address confirms it. If it was not you, set another password at once: that ends the change.",
        button: "",
    },
    email_changed: Said {
        subject: "Your e-mail address has changed",
        message: "your account has another e-mail address from now on, and mails will go there. If you have not asked for this, tell an administrator at once.",
        button: "",
    },
    registration_repeated: Said {
        subject: "Somebody wanted to register with your address",
        message: "somebody wanted to make an account with this address, which has one already. If it was you, sign in with the password you have. If it was not, there is nothing to do: nothing has changed.",
        button: "",
    },
    password_reset: Said {
        subject: "Set a new password",
        message: "somebody asked for a new password for your account. If you did not ask for it, there is nothing to do: your password stays as it is.",
        button: "Set a new password",
    },
    password_changed: Said {
        subject: "Your password was changed",
        message: "the password of your account was changed at {when}. Whoever was signed in elsewhere has been signed out.",
        button: "",
    },
    account_locked: Said {
        subject: "Somebody tries to sign in with your account",
        message: "{failures} attempts in a row to sign in with your account failed, the last at {when}. It takes none until {until}. Then, or with a new password, you can sign in as ever.",
        button: "",
    },
    second_factor_enabled: Said {
        subject: "Signing in takes a code now",
        message: "from now on, signing in with your account takes a code of your app ({when}).",
        button: "",
    },
    second_factor_disabled: Said {
        subject: "Signing in takes no code any more",
        message: "from now on, signing in with your account takes the password alone ({when}).",
        button: "",
    },
    recovery_code_used: Said {
        subject: "A recovery code was used",
        message: "one of your recovery codes was used up ({when}).",
        button: "",
    },
    recovery_codes_replaced: Said {
        subject: "You have new recovery codes",
        message: "you have new recovery codes, and the old ones are worth nothing ({when}).",
        button: "",
    },
    passkey_added: Said {
        subject: "A passkey was added to your account",
        message: "a passkey was added, which signs in with your account whatever your password is ({when}). Your profile lists it, and can remove it.",
        button: "",
    },
    passkey_removed: Said {
        subject: "A passkey was removed from your account",
        message: "a passkey was removed, and signs in with your account no more ({when}).",
        button: "",
    },
    webhook_disabled: Said {
        subject: "A webhook was disabled",
        message: "the webhook that leads to {url} was disabled at {when}, because {reason}. What waited for it was given up. Once it works again, it can be enabled, and what was given up sent again.",
        button: "",
    },
};
