//! Settings that are missing or wrong stop the start with a sentence for the operator, which shows no secret.

use notifications::{App, Config};
use platform::config::Secret;

use crate::world::World;

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let world = World::start().await;
    let refusal = |change: fn(&mut Config)| {
        let mut config = Config { mail_url: Secret::default(), ..(*world.app.config).clone() };
        change(&mut config);
        App::new(world.test.context.clone(), config).unwrap_err()
    };
    assert!(refusal(|config| config.from = "nobody".into()).starts_with("from is not a mailbox"));
    assert_eq!(refusal(|config| config.users_url.clear()), "users_url is not set");
    assert_eq!(refusal(|config| config.bookings_url.clear()), "bookings_url is not set");
    assert_eq!(refusal(|config| config.max_attempts = 0), "max_attempts must be 1 to 100");
    assert_eq!(refusal(|config| config.outbox_dir.clear()), "set mail_url, or outbox_dir for mails as files");
    let wrong = refusal(|config| config.mail_url = Secret::from("ftp://user:geheim@host".to_owned()));
    assert!(wrong.starts_with("mail_url must be") && !wrong.contains("geheim"), "{wrong}");
}
