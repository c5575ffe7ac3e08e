//! The way to the file for whoever writes: the file is still the one that was opened, it is not damaged, and what went
//! wrong is noted.

use super::folder::Hold;
use super::trouble::Trouble;
use super::{copy, error, open};
use crate::store::StoreError;
use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, pool::PoolConnection};
use std::path::PathBuf;

/// What all that write share.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) path: PathBuf,
    pub(super) hold: Hold,
    pub(super) trouble: Trouble,
    pub(super) writer: SqlitePool,
}

impl Gate {
    /// What went wrong. Damage of the file is remembered, whoever met it.
    pub(super) fn error(&self, error: &sqlx::Error) -> StoreError {
        match error {
            damage if error::is_damage(damage) => self.trouble.note(true, error::in_use(&self.path, damage)),
            sqlx::Error::Decode(reason) => error::damaged(&self.path, format!("a row cannot be read: {reason}")),
            sqlx::Error::ColumnDecode { source, index } => {
                error::damaged(&self.path, format!("column {index} cannot be read: {source}"))
            }
            other => error::in_use(&self.path, other),
        }
    }

    /// After a failed write the connection is closed, and the next write opens a fresh one. For one, SQLite has
    /// then often rolled back by itself (full disk, disk error), which the driver does not notice: it would
    /// refuse every later transaction. For another, after a failed fsync only the disk tells what was kept.
    pub(super) fn failed(&self, connection: &mut PoolConnection<Sqlite>, error: &sqlx::Error) -> StoreError {
        let error = self.trouble.note(false, self.error(error));
        // A damaged file is not written again, not even by SQLite, which copies the log into it as the last one closes.
        if self.trouble.lasting().is_ok() {
            connection.close_on_drop();
        }
        error
    }

    /// The connection that writes; what is committed is on disk.
    pub(super) async fn writing(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.connection("PRAGMA synchronous = FULL").await
    }

    /// The connection that writes what is found out again should the power fail: it outlives the process once it is
    /// committed, and the next poll that is recorded brings it to the disk.
    pub(super) async fn writing_soon(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.connection("PRAGMA synchronous = NORMAL").await
    }

    /// The one connection that writes, which is told each time whether a commit waits for the disk
    /// (<https://www.sqlite.org/pragma.html#pragma_synchronous>). Refuses when the file is not the one that was opened,
    /// and once it is damaged: writing on would spread the damage.
    async fn connection(&self, synchronous: &'static str) -> Result<PoolConnection<Sqlite>, StoreError> {
        if let Err(damaged) = self.trouble.lasting() {
            if !self.trouble.is_to_be_doubted() || self.look_again().await.is_err() {
                return Err(damaged);
            }
            self.trouble.mistaken();
        }
        self.hold.check(&self.path).await?;
        let mut connection = self.writer.acquire().await.map_err(|e| self.trouble.note(false, self.error(&e)))?;
        let told = sqlx::query(synchronous).execute(&mut *connection).await;
        told.map_err(|e| self.failed(&mut connection, &e))?;
        Ok(connection)
    }

    /// Whether the file is whole, as a connection sees it that has read nothing of it yet. It looks twice: a read that
    /// fails during the first look is damage to SQLite as well.
    async fn look_again(&self) -> Result<(), StoreError> {
        let mut connection = copy::read_only(&self.path).await?;
        match open::check(&mut connection, &self.path, "quick_check").await {
            Ok(()) => Ok(()),
            Err(_) => open::check(&mut connection, &self.path, "quick_check").await,
        }
    }

    /// Writes something that changes nothing, to learn whether the disk takes it.
    pub(super) async fn try_to_write(&self) -> Result<(), StoreError> {
        let mut connection = self.writing().await?;
        open::rewrite(&mut connection).await.map_err(|e| self.failed(&mut connection, &e))?;
        self.trouble.over();
        Ok(())
    }
}
