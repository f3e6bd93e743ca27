//! Mails about accounts in Spanish.

use super::{Said, Words};

pub const WORDS: Words = Words {
    link: "El enlace funciona una vez, hasta {until}.",
    not_you: "Si no ha sido usted, establezca una nueva contraseña y avise a su administrador.",
    email_verification: Said {
        subject: "Verifique su dirección de correo",
        message: "se ha creado una cuenta con esta dirección. Si ha sido usted, demuestre que la dirección es suya.",
        button: "Verificar la dirección",
    },
    invitation: Said {
        subject: "Tiene una invitación",
        message: "le han invitado a crear una cuenta.",
        button: "Aceptar la invitación",
    },
    email_change: Said {
        subject: "Confirme su nueva dirección de correo",
        message: "una cuenta va a tener esta dirección a partir de ahora. Si es suya, confírmela.",
        button: "Confirmar la dirección",
    },
    email_change_asked: Said {
        subject: "Su cuenta va a tener otra dirección de correo",
        message: "alguien que conoce su contraseña ha pedido otra dirección de correo para su cuenta. Cambia cuando el dueño de esa dirección la confirma. Si no ha sido usted, establezca otra contraseña enseguida: eso pone fin al cambio.",
        button: "",
    },
    email_changed: Said {
        subject: "Su dirección de correo ha cambiado",
        message: "su cuenta tiene otra dirección de correo a partir de ahora, y los mensajes irán allí. Si no lo ha pedido, avise enseguida a un administrador.",
        button: "",
    },
    registration_repeated: Said {
        subject: "Alguien quiso registrarse con su dirección",
        message: "alguien quiso crear una cuenta con esta dirección, que ya tiene una. Si ha sido usted, inicie sesión con la contraseña que tiene. Si no, no hay nada que hacer: nada ha cambiado.",
        button: "",
    },
    password_reset: Said {
        subject: "Establezca una nueva contraseña",
        message: "alguien ha pedido una nueva contraseña para su cuenta. Si no la ha pedido usted, no hay nada que hacer: su contraseña sigue como está.",
        button: "Establecer una nueva contraseña",
    },
    password_changed: Said {
        subject: "Su contraseña ha cambiado",
        message: "la contraseña de su cuenta ha cambiado: {when}. Se han cerrado las sesiones abiertas en otros sitios.",
        button: "",
    },
    account_locked: Said {
        subject: "Alguien intenta iniciar sesión con su cuenta",
        message: "han fallado {failures} intentos seguidos de iniciar sesión con su cuenta, el último: {when}. La cuenta no admite ninguno hasta {until}. Después, o con una nueva contraseña, puede iniciar sesión como siempre.",
        button: "",
    },
    second_factor_enabled: Said {
        subject: "Iniciar sesión pide ahora un código",
        message: "a partir de ahora, iniciar sesión con su cuenta pide un código de su aplicación ({when}).",
        button: "",
    },
    second_factor_disabled: Said {
        subject: "Iniciar sesión ya no pide código",
        message: "a partir de ahora, iniciar sesión con su cuenta pide solo la contraseña ({when}).",
        button: "",
    },
    recovery_code_used: Said {
        subject: "Se ha usado un código de recuperación",
        message: "se ha usado uno de sus códigos de recuperación ({when}).",
        button: "",
    },
    recovery_codes_replaced: Said {
        subject: "Tiene nuevos códigos de recuperación",
        message: "tiene nuevos códigos de recuperación, y los antiguos ya no valen nada ({when}).",
        button: "",
    },
    passkey_added: Said {
        subject: "Se ha añadido una clave de acceso a su cuenta",
        message: "se ha añadido una clave de acceso, que inicia sesión con su cuenta sea cual sea la contraseña ({when}). Su perfil la muestra, y puede quitarla.",
        button: "",
    },
    passkey_removed: Said {
        subject: "Se ha quitado una clave de acceso de su cuenta",
        message: "se ha quitado una clave de acceso, que ya no inicia sesión con su cuenta ({when}).",
        button: "",
    },
    webhook_disabled: Said {
        subject: "Se ha desactivado un webhook",
        message: "el webhook que lleva a {url} se ha desactivado ({when}), porque {reason}. Lo que esperaba se ha abandonado. Cuando vuelva a funcionar, se puede activar, y lo abandonado enviarse de nuevo.",
        button: "",
    },
};
