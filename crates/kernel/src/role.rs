//! Roles, and the one table of what each of them may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a user is in an organization.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    /// Books, sees and changes their own.
    User,
    /// Runs resources: catalogue, approvals, bookings of others.
    Manager,
    /// Everything in the organization.
    Admin,
}

/// A permission as a type, so that a handler's signature names what it demands.
pub trait Permission {
    /// The name that stands in tokens' documentation and in `x-permission`.
    const NAME: &'static str;
    /// The least of the roles that has it.
    const LEAST: Role;
}

macro_rules! permissions {
    ($($(#[doc = $doc:literal])+ $type:ident = $name:literal from $least:ident;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, Copy)]
            pub enum $type {}

            impl Permission for $type {
                const NAME: &'static str = $name;
                const LEAST: Role = Role::$least;
            }
        )+

        /// Every permission with the least role that has it.
        pub const TABLE: &[(&str, Role)] = &[$(($name, Role::$least)),+];
    };
}

permissions! {
    /// See and change one's own profile.
    ProfileOwn = "profile.own" from User;
    /// See all accounts of the organization.
    UsersRead = "users.read" from Manager;
    /// Gather users in groups.
    GroupsManage = "groups.manage" from Admin;
    /// Create, change and remove accounts.
    UsersManage = "users.manage" from Admin;
    /// See and change the settings of the organization.
    OrganizationManage = "organization.manage" from Admin;
    /// See the catalogue.
    CatalogueRead = "catalogue.read" from User;
    /// Change the catalogue.
    CatalogueManage = "catalogue.manage" from Manager;
    /// Book for oneself, and see and change one's own bookings.
    BookingsOwn = "bookings.own" from User;
    /// See and change the bookings of others, and book on their behalf.
    BookingsManage = "bookings.manage" from Manager;
    /// Decide on requests for approval where nobody else is named.
    BookingsApprove = "bookings.approve" from Manager;
    /// See reports over the bookings of the organization.
    ReportsRead = "reports.read" from Manager;
    /// See everything that happened in the organization.
    AuditRead = "audit.read" from Admin;
    /// See one's own messages.
    NotificationsOwn = "notifications.own" from User;
    /// See what could not be delivered and send it again; say what messages look like and who else is told.
    NotificationsManage = "notifications.manage" from Admin;
}

impl Role {
    /// Whether the role has the permission.
    #[must_use]
    pub fn may<P: Permission>(self) -> bool {
        self >= P::LEAST
    }

    /// The names of all permissions of the role, in the table's order.
    #[must_use]
    pub fn permissions(self) -> Vec<&'static str> {
        TABLE.iter().filter(|(_, least)| self >= *least).map(|(name, _)| *name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_what_the_lesser_has() {
        let counts = [Role::User, Role::Manager, Role::Admin].map(|role| role.permissions().len());
        assert!(counts[0] < counts[1] && counts[1] < counts[2] && counts[2] == TABLE.len());
        assert!(Role::Manager.may::<CatalogueManage>() && !Role::User.may::<CatalogueManage>());
    }
}
