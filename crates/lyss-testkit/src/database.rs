//! One database per test, so that tests neither wait for nor see each other.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lyss_repositories_sql::{Settings, SqlStore, connect};
use sea_orm::{ConnectionTrait, Database, Statement};
use tempfile::TempDir;

/// A database of this test alone, and one store on it.
pub struct TestDatabase {
    pub store: SqlStore,
    settings: Settings,
    home: Home,
}

enum Home {
    /// Removed with its folder when dropped.
    Sqlite { _folder: TempDir },
    /// Dropped by [`TestDatabase::close`]; the server is private to the test run, so a panic leaves no lasting waste.
    Postgres { name: String },
}

/// A migrated SQLite file in a folder of its own.
pub async fn sqlite() -> TestDatabase {
    migrated(sqlite_empty().await).await
}

/// A migrated database on the PostgreSQL server that `LYSS_TEST_POSTGRES_URL` names.
pub async fn postgres() -> TestDatabase {
    migrated(postgres_empty().await).await
}

/// Without any table.
pub async fn sqlite_empty() -> TestDatabase {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("lyss.db");
    let settings = settings(format!("sqlite://{}", file.display()));
    let store = connect(&settings).await.expect("SQLite opens");
    TestDatabase { store, settings, home: Home::Sqlite { _folder: folder } }
}

/// Without any table.
pub async fn postgres_empty() -> TestDatabase {
    let name = unique_name();
    on_server(&format!("CREATE DATABASE {name} TEMPLATE template0")).await;
    let settings = settings(url_of(&name));
    let store = connect(&settings).await.expect("PostgreSQL answers");
    TestDatabase { store, settings, home: Home::Postgres { name } }
}

impl TestDatabase {
    /// Another store on the same database, as another replica has.
    pub async fn another(&self) -> SqlStore {
        connect(&self.settings).await.expect("the database opens again")
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.home, Home::Postgres { .. })
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Does to the audit log what only somebody with the right to change the schema can: the guards go first.
    pub async fn tamper(&self, sql: &str) {
        let guards = if self.is_postgres() {
            "DROP TRIGGER IF EXISTS audit_entries_append_only ON audit_entries"
        } else {
            "DROP TRIGGER IF EXISTS audit_entries_no_update; DROP TRIGGER IF EXISTS audit_entries_no_delete"
        };
        let connection = self.store.connection();
        connection.execute_unprepared(guards).await.expect("the guards go");
        connection.execute_unprepared(sql).await.expect("nobody hinders it any more");
    }

    /// Cuts every connection to this database on the server's side. PostgreSQL only.
    pub async fn cut_connections(&self) {
        let Home::Postgres { name } = &self.home else { panic!("SQLite has no connections to cut") };
        on_server(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ))
        .await;
    }

    /// Returns once no connection to this database stands idle within a transaction. PostgreSQL only.
    pub async fn wait_until_nothing_is_open(&self) {
        let Home::Postgres { name } = &self.home else { panic!("SQLite tells nobody what is open") };
        let open = format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = '{name}' AND state LIKE 'idle in transaction%'"
        );
        let server = Database::connect(server_url()).await.expect("the PostgreSQL server answers");
        for _ in 0..500 {
            let open = Statement::from_string(server.get_database_backend(), open.as_str());
            if server.query_all_raw(open).await.expect("the server tells").is_empty() {
                return server.close().await.expect("the connection closes");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("a transaction stays open");
    }

    pub async fn close(self) {
        self.store.close().await.expect("the store closes");
        if let Home::Postgres { name } = &self.home {
            on_server(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn migrated(database: TestDatabase) -> TestDatabase {
    lyss_migrations::up(database.store.connection()).await.expect("the schema migrates");
    database
}

fn settings(url: String) -> Settings {
    Settings { url, max_connections: 8, statement_timeout_ms: 10_000 }
}

fn server_url() -> String {
    std::env::var("LYSS_TEST_POSTGRES_URL")
        .expect("LYSS_TEST_POSTGRES_URL names no PostgreSQL server: run `cargo xtask test`")
}

/// The server's URL with another database's name in its path.
fn url_of(name: &str) -> String {
    let url = server_url();
    let (address, options) = url.split_once('?').map_or((url.as_str(), None), |(a, o)| (a, Some(o)));
    let (scheme, rest) = address.split_once("://").expect("a URL with a scheme");
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    format!("{scheme}://{host}/{name}{options}")
}

fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    format!("lyss_test_{}_{started}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn on_server(sql: &str) {
    let server = Database::connect(server_url()).await.expect("the PostgreSQL server answers");
    server.execute_unprepared(sql).await.expect("the server does as asked");
    server.close().await.expect("the connection closes");
}
