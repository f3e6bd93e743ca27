//! Portuguese.

use super::Happened;
use crate::message::Kind;

pub(super) const HAPPENED: &[(Kind, Happened)] = &[
    (
        Kind::BookingConfirmed,
        Happened {
            subject: "Reserva confirmada",
            sentence: "a sua reserva {} está confirmada.",
            calendar: "O ficheiro em anexo adiciona-a ao seu calendário.",
        },
    ),
    (
        Kind::BookingMoved,
        Happened {
            subject: "Reserva alterada",
            sentence: "a sua reserva {} foi alterada.",
            calendar: "O ficheiro em anexo atualiza-a no seu calendário.",
        },
    ),
    (
        Kind::BookingCancelled,
        Happened {
            subject: "Reserva cancelada",
            sentence: "a sua reserva {} foi cancelada.",
            calendar: "O ficheiro em anexo remove-a do seu calendário.",
        },
    ),
    (
        Kind::BookingRequested,
        Happened {
            subject: "Reserva à espera de aprovação",
            sentence: "a sua reserva {} está guardada e à espera de aprovação.",
            calendar: "",
        },
    ),
    (
        Kind::BookingRejected,
        Happened {
            subject: "Reserva não aprovada",
            sentence: "a sua reserva {} não foi aprovada.",
            calendar: "",
        },
    ),
    (
        Kind::BookingExpired,
        Happened {
            subject: "Reserva sem decisão",
            sentence: "ninguém decidiu a tempo sobre a sua reserva {}: perdeu a validade.",
            calendar: "",
        },
    ),
    (
        Kind::BookingOffered,
        Happened {
            subject: "Há lugar para si",
            sentence: "o que esperava ficou livre. Está guardado para si como {}: confirme a tempo, ou passa ao seguinte.",
            calendar: "",
        },
    ),
    (
        Kind::BookingReminder,
        Happened {
            subject: "A reserva começa em breve",
            sentence: "a sua reserva {} começa em breve.",
            calendar: "",
        },
    ),
    (
        Kind::BookingNoShow,
        Happened {
            subject: "Reserva libertada",
            sentence: "ninguém compareceu à sua reserva {}: o horário está de novo livre.",
            calendar: "",
        },
    ),
    (
        Kind::BookingFlagged,
        Happened {
            subject: "Reserva a rever",
            sentence: "a sua reserva {} já não se ajusta ao local. Mantém-se até que alguém a reveja.",
            calendar: "",
        },
    ),
    (
        Kind::BookingTransferred,
        Happened {
            subject: "Reserva entregue a si",
            sentence: "a reserva {} foi entregue a si.",
            calendar: "O ficheiro em anexo adiciona-a ao seu calendário.",
        },
    ),
    (
        Kind::BookingCompleted,
        Happened {
            subject: "Reserva terminada",
            sentence: "a sua reserva {} terminou. Obrigado por deixar o local como o encontrou.",
            calendar: "",
        },
    ),
    (
        Kind::BookingApprovalNeeded,
        Happened {
            subject: "É precisa a sua decisão",
            sentence: "a reserva {} espera pela sua decisão.",
            calendar: "",
        },
    ),
];
