//! Spanish.

use super::Happened;
use crate::message::Kind;

pub(super) const HAPPENED: &[(Kind, Happened)] = &[
    (
        Kind::BookingConfirmed,
        Happened {
            subject: "Reserva confirmada",
            sentence: "su reserva {} está confirmada.",
            calendar: "El archivo adjunto la añade a su calendario.",
        },
    ),
    (
        Kind::BookingMoved,
        Happened {
            subject: "Reserva modificada",
            sentence: "su reserva {} ha cambiado.",
            calendar: "El archivo adjunto la actualiza en su calendario.",
        },
    ),
    (
        Kind::BookingCancelled,
        Happened {
            subject: "Reserva cancelada",
            sentence: "su reserva {} ha sido cancelada.",
            calendar: "El archivo adjunto la elimina de su calendario.",
        },
    ),
    (
        Kind::BookingRequested,
        Happened {
            subject: "Reserva pendiente de aprobación",
            sentence: "su reserva {} está guardada y pendiente de aprobación.",
            calendar: "",
        },
    ),
    (
        Kind::BookingRejected,
        Happened {
            subject: "Reserva no aprobada",
            sentence: "su reserva {} no ha sido aprobada.",
            calendar: "",
        },
    ),
    (
        Kind::BookingExpired,
        Happened {
            subject: "Reserva sin decisión",
            sentence: "nadie decidió a tiempo sobre su reserva {}: ha caducado.",
            calendar: "",
        },
    ),
    (
        Kind::BookingOffered,
        Happened {
            subject: "Hay sitio para usted",
            sentence: "lo que esperaba ha quedado libre. Se le guarda como {}: confírmelo a tiempo, o pasará al siguiente.",
            calendar: "",
        },
    ),
    (
        Kind::BookingReminder,
        Happened {
            subject: "La reserva empieza pronto",
            sentence: "su reserva {} empieza pronto.",
            calendar: "",
        },
    ),
    (
        Kind::BookingNoShow,
        Happened {
            subject: "Reserva liberada",
            sentence: "nadie acudió a su reserva {}: el horario vuelve a estar libre.",
            calendar: "",
        },
    ),
    (
        Kind::BookingFlagged,
        Happened {
            subject: "Reserva por revisar",
            sentence: "su reserva {} ya no encaja en su lugar. Se mantiene hasta que alguien la revise.",
            calendar: "",
        },
    ),
    (
        Kind::BookingTransferred,
        Happened {
            subject: "Reserva traspasada",
            sentence: "la reserva {} se le ha traspasado.",
            calendar: "El archivo adjunto la añade a su calendario.",
        },
    ),
    (
        Kind::BookingCompleted,
        Happened {
            subject: "Reserva terminada",
            sentence: "su reserva {} ha terminado. Gracias por dejar el lugar como lo encontró.",
            calendar: "",
        },
    ),
    (
        Kind::BookingApprovalNeeded,
        Happened {
            subject: "Se necesita su decisión",
            sentence: "la reserva {} espera su decisión.",
            calendar: "",
        },
    ),
];
