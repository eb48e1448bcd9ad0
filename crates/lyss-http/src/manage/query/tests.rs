use lyss_domain::ChannelState;
use lyss_management::ChannelSort;

use super::*;

fn listing(text: &str) -> Result<Listing<Option<ChannelState>, ChannelSort>, BTreeMap<String, String>> {
    let mut query = Query::read(text).map_err(|failure| failure.fields)?;
    let state = query.word("state");
    query.listing(state).map_err(|failure| failure.fields)
}

#[test]
fn nothing_asked_is_the_first_page_in_the_usual_order() {
    let all = listing("").unwrap();
    assert_eq!((all.page, all.sort.descending, all.filter), (Page::FIRST, false, None));
}

#[test]
fn every_parameter_is_read() {
    let some = listing("page=3&page_size=200&sort=-weight&state=draining").unwrap();
    assert_eq!((some.page.number, some.page.size), (3, 200));
    assert_eq!(some.sort, Sort { by: ChannelSort::Weight, descending: true });
    assert_eq!(some.filter, Some(ChannelState::Draining));
}

#[test]
fn what_cannot_be_used_is_refused_by_its_name() {
    for (text, name) in [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page_size=0", "page_size"),
        ("page_size=201", "page_size"),
        ("sort=secret", "sort"),
        ("sort=--name", "sort"),
        ("state=asleep", "state"),
        ("page=1&page=2", "page"),
        ("colour=red", "colour"),
        ("Page=1", "Page"),
    ] {
        let refused = listing(text).unwrap_err();
        assert_eq!(refused.keys().collect::<Vec<_>>(), [name], "{text}");
    }
    assert_eq!(listing("page=0&sort=x&y=z").unwrap_err().len(), 3, "all at once");
}
