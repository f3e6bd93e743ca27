//! Mails about accounts in Portuguese.

use super::{Said, Words};

pub const WORDS: Words = Words {
    link: "A ligação funciona uma vez, até {until}.",
    not_you: "Se não foi você, defina uma nova palavra-passe e avise o seu administrador.",
    email_verification: Said {
        subject: "Confirme o seu endereço de e-mail",
        message: "foi criada uma conta com este endereço. Se foi você, mostre que o endereço é seu.",
        button: "Confirmar o endereço",
    },
    invitation: Said {
        subject: "Tem um convite",
        message: "foi convidado a criar uma conta.",
        button: "Aceitar o convite",
    },
    email_change: Said {
        subject: "Confirme o seu novo endereço de e-mail",
        message: "uma conta passará a ter este endereço. Se for seu, confirme-o.",
        button: "Confirmar o endereço",
    },
    email_change_asked: Said {
        subject: "A sua conta vai ter outro endereço de e-mail",
        message: "alguém que sabe a sua palavra-passe pediu outro endereço de e-mail para a sua conta. O endereço muda quando o dono desse endereço o confirmar. Se não foi você, defina já outra palavra-passe: isso termina a alteração.",
        button: "",
    },
    email_changed: Said {
        subject: "O seu endereço de e-mail mudou",
        message: "a sua conta tem agora outro endereço de e-mail, e as mensagens irão para lá. Se não pediu isto, avise já um administrador.",
        button: "",
    },
    registration_repeated: Said {
        subject: "Alguém quis registar-se com o seu endereço",
        message: "alguém quis criar uma conta com este endereço, que já tem uma. Se foi você, inicie sessão com a palavra-passe que tem. Se não foi, não há nada a fazer: nada mudou.",
        button: "",
    },
    password_reset: Said {
        subject: "Defina uma nova palavra-passe",
        message: "alguém pediu uma nova palavra-passe para a sua conta. Se não a pediu, não há nada a fazer: a sua palavra-passe fica como está.",
        button: "Definir uma nova palavra-passe",
    },
    password_changed: Said {
        subject: "A sua palavra-passe foi alterada",
        message: "a palavra-passe da sua conta foi alterada em {when}. As sessões iniciadas noutros sítios foram terminadas.",
        button: "",
    },
    account_locked: Said {
        subject: "Alguém tenta iniciar sessão com a sua conta",
        message: "falharam {failures} tentativas seguidas de iniciar sessão com a sua conta, a última em {when}. A conta não aceita nenhuma até {until}. Depois, ou com uma nova palavra-passe, pode iniciar sessão como sempre.",
        button: "",
    },
    second_factor_enabled: Said {
        subject: "Iniciar sessão pede agora um código",
        message: "a partir de agora, iniciar sessão com a sua conta pede um código da sua aplicação ({when}).",
        button: "",
    },
    second_factor_disabled: Said {
        subject: "Iniciar sessão já não pede código",
        message: "a partir de agora, iniciar sessão com a sua conta pede apenas a palavra-passe ({when}).",
        button: "",
    },
    recovery_code_used: Said {
        subject: "Foi usado um código de recuperação",
        message: "um dos seus códigos de recuperação foi usado ({when}).",
        button: "",
    },
    recovery_codes_replaced: Said {
        subject: "Tem novos códigos de recuperação",
        message: "tem novos códigos de recuperação, e os antigos já não valem nada ({when}).",
        button: "",
    },
    passkey_added: Said {
        subject: "Foi adicionada uma chave de acesso à sua conta",
        message: "foi adicionada uma chave de acesso, que inicia sessão com a sua conta seja qual for a palavra-passe ({when}). O seu perfil mostra-a, e pode removê-la.",
        button: "",
    },
    passkey_removed: Said {
        subject: "Foi removida uma chave de acesso da sua conta",
        message: "foi removida uma chave de acesso, que já não inicia sessão com a sua conta ({when}).",
        button: "",
    },
    webhook_disabled: Said {
        subject: "Um webhook foi desativado",
        message: "o webhook que leva a {url} foi desativado em {when}, porque {reason}. O que esperava por ele foi abandonado. Quando voltar a funcionar, pode ser ativado, e o que foi abandonado pode ser enviado de novo.",
        button: "",
    },
};
