//! The conformance suite of the stores, each case on SQLite and on PostgreSQL, each on a database of its own.

use lyss_testkit::{conformance, database};

/// Makes two tests of each case, such as `storage::postgres::channels::are_kept_whole`.
macro_rules! on_both {
    ($($aggregate:ident ($sqlite:ident, $postgres:ident) { $($case:ident),+ $(,)? })+) => {
        mod sqlite {$(
            mod $aggregate {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let db = crate::storage::database::$sqlite().await;
                    crate::storage::conformance::$aggregate::$case(&db).await;
                    db.close().await;
                }
            )+}
        )+}

        mod postgres {$(
            mod $aggregate {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let db = crate::storage::database::$postgres().await;
                    crate::storage::conformance::$aggregate::$case(&db).await;
                    db.close().await;
                }
            )+}
        )+}

        const CASES: &[(&str, &str)] = &[$($((stringify!($aggregate), stringify!($case))),+),+];
    };
}

on_both! {
    tenants (sqlite, postgres) {
        are_kept_whole,
        have_slugs_of_their_own,
        are_listed_by_slug_in_pages,
        change_only_at_the_version_read,
        take_all_with_them_but_the_records,
    }
    providers (sqlite, postgres) {
        are_kept_whole,
        have_slugs_of_their_own_within_a_tenant,
        belong_to_the_tenant_that_acts,
        change_only_at_the_version_read,
        of_others_are_as_absent_as_none,
    }
    channels (sqlite, postgres) {
        are_kept_whole,
        have_names_of_their_own_within_a_tenant,
        are_filtered_and_listed_by_name_in_pages,
        change_only_at_the_version_read,
        of_others_are_as_absent_as_none,
        take_their_credential_and_policies_with_them,
    }
    credentials (sqlite, postgres) {
        are_put_replaced_and_deleted,
        need_a_channel_of_the_same_tenant,
    }
    tenant_keys (sqlite, postgres) {
        are_listed_by_version,
        are_rewrapped_until_none_is_left,
    }
    purpose_keys (sqlite, postgres) {
        are_created_once,
        are_the_same_for_all_who_race,
        are_rewrapped,
    }
    keys (sqlite, postgres) {
        are_kept_whole,
        have_names_and_digests_of_their_own,
        are_found_by_their_previous_digest,
        tell_their_last_use,
        hold_up_no_usage_while_edited,
        change_only_at_the_version_read,
        of_others_are_as_absent_as_none,
        take_their_policies_with_them,
    }
    policies (sqlite, postgres) {
        are_kept_whole_whatever_they_count,
        need_what_they_are_about,
        change_only_at_the_version_read,
        of_others_are_as_absent_as_none,
    }
    prices (sqlite, postgres) {
        are_listed_by_model_and_date,
        have_one_rate_per_model_and_moment,
        belong_to_the_tenant_that_acts,
    }
    lists (sqlite, postgres) {
        of_tenants_filter_and_sort,
        search_signs_as_themselves,
        of_providers_filter_and_sort,
        of_channels_filter_and_sort,
        of_channels_find_exact_tags,
        of_keys_filter_and_sort,
        of_policies_filter_and_sort,
        of_prices_filter_and_sort,
        of_audit_entries_filter_and_sort,
        have_pages_that_never_overlap,
    }
    audit (sqlite, postgres) {
        is_appended_and_read_in_order,
        never_has_a_number_twice,
        is_one_chain_however_many_append,
        has_chains_of_whoever_is_concerned,
        is_only_appended_to,
    }
    idempotency (sqlite, postgres) {
        keeps_the_first_answer,
        is_fresh_for_exactly_one_who_races,
        forgets_what_expired,
        is_fresh_again_when_released,
        outlives_who_never_finishes,
        is_nobodys_too,
    }
    health (sqlite, postgres) {
        states_are_kept_whole_and_replaced,
        states_never_replace_newer_ones,
        states_that_nobody_writes_are_forgotten,
        states_and_events_of_channels_that_are_gone_are_left_out,
        events_are_kept_whole_and_there_once,
        events_are_filtered_and_listed_by_time_in_pages,
        events_are_forgotten_in_slices,
        turns_go_to_exactly_one_of_all_who_ask,
        probes_never_cost_more_than_a_days_budget,
        goes_with_its_tenant,
    }
    attempts (sqlite, postgres) {
        are_kept_whole,
        written_twice_are_there_once,
        twice_in_one_batch_are_there_once,
        are_shown_newest_first,
        are_counted_from_their_own_start,
        add_up,
        tell_how_channels_did,
        of_one_call_stand_together,
        tell_one_channel_over_time,
        are_traffic_as_it_came,
        of_probes_are_in_no_sum,
        hold_the_largest_counts,
    }
    catalog (sqlite, postgres) {
        loads_everything,
        has_a_generation_that_grows_with_changes_alone,
        is_consistent_beside_writers,
        hears_of_a_commit,
        hears_other_replicas_and_its_own_deafness,
    }
    work (sqlite, postgres) {
        dropped_leaves_nothing,
        shows_its_own_changes_and_hides_them_from_others,
        for_reading_writes_nothing,
        is_never_committed_in_part,
        abandoned_anywhere_harms_nobody,
        abandoned_at_its_beginning_leaves_nothing_open,
        may_be_dropped_outside_any_runtime,
        queues_writers_without_refusing_any,
        answers_for_health,
        names_no_address_in_errors,
    }
    migrations (sqlite_empty, postgres_empty) {
        go_up_down_and_up_again,
        taken_back_and_applied_again_keep_the_rows,
        tell_a_schema_that_is_behind,
        leave_a_schema_that_is_ahead_alone,
        begin_afresh,
        of_several_replicas_at_once_apply_each_step_once,
        stopped_anywhere_stand_between_two_steps,
    }
}

/// A case that is written and not listed would never run.
#[test]
fn every_case_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/lyss-testkit/src/conformance");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let aggregate = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let Some(rest) = line.strip_prefix("pub async fn ") else { continue };
            let case = rest.split('(').next().unwrap();
            assert!(CASES.contains(&(&aggregate, case)), "{aggregate}::{case} is in no list");
        }
    }
}
