use super::*;

#[test]
fn paths_lead_where_the_vendor_documents_them() {
    let chat = || Ok(Route::Chat { deployment: None });
    let route =
        |vendor: Vendor, method: Method, path: &'static str| vendor.route(&method, path).map_err(|r| r.kind);

    assert_eq!(route(Vendor::OpenAi, Method::POST, "/v1/chat/completions"), chat());
    assert_eq!(route(Vendor::OpenAi, Method::POST, "/chat/completions"), Err(Kind::UnknownPath));
    assert_eq!(route(Vendor::OpenAi, Method::GET, "/v1/chat/completions"), Err(Kind::Method));
    assert_eq!(route(Vendor::OpenAi, Method::GET, "/v1/models/gpt-4o"), Ok(Route::Model("gpt-4o".into())));
    assert_eq!(route(Vendor::DeepSeek, Method::POST, "/chat/completions"), chat());
    assert_eq!(route(Vendor::DeepSeek, Method::POST, "/v1/chat/completions"), chat());
    assert_eq!(route(Vendor::DeepSeek, Method::GET, "/models"), Ok(Route::Models));
    assert_eq!(route(Vendor::Anthropic, Method::POST, "/v1/messages"), chat());
    assert_eq!(route(Vendor::Anthropic, Method::POST, "/v1/v1/messages"), Err(Kind::UnknownPath));
    assert_eq!(route(Vendor::AzureOpenAi, Method::POST, "/v1/chat/completions"), Err(Kind::UnknownPath));
    assert_eq!(
        route(Vendor::AzureOpenAi, Method::POST, "/openai/deployments/mine%2Bwords%3D3/chat/completions"),
        Ok(Route::Chat { deployment: Some("mine+words=3".into()) })
    );
    assert_eq!(route(Vendor::AzureOpenAi, Method::GET, "/openai/models"), Ok(Route::Models));
}

#[test]
fn unreadable_segments_are_no_path() {
    for path in ["/v1/models/", "/v1/models/a%2", "/v1/models/a/b", "/v1/models/%ff", "/v1/modelsx"] {
        assert!(Vendor::OpenAi.route(&Method::GET, path).is_err(), "{path}");
    }
}
