// SMSFlow's web pixel: tells the store's SMSFlow what a visitor looks at.
//
// It sends ids and nothing else: no name, no address, no number, no price. It runs in Shopify's sandbox, and
// Shopify loads it only for visitors who agreed to marketing (see shopify.extension.toml).
import {register} from "@shopify/web-pixels-extension";

register(({analytics, settings}) => {
    const id = (gid) => (gid === undefined || gid === null ? "" : String(gid).split("/").pop());

    const send = (event, about) => {
        const said = {id: event.id, client: event.clientId, name: event.name, at: event.timestamp, ...about};
        // text/plain needs no question beforehand; keepalive lets it leave although the page does
        fetch(settings.address, {
            method: "POST",
            body: JSON.stringify(said),
            headers: {"Content-Type": "text/plain"},
            keepalive: true,
            credentials: "omit",
        }).catch(() => {});
    };

    const variant = (found) => ({variant: id(found?.id), product: id(found?.product?.id)});

    analytics.subscribe("product_viewed", (event) => send(event, variant(event.data?.productVariant)));
    analytics.subscribe("product_added_to_cart", (event) => send(event, variant(event.data?.cartLine?.merchandise)));
    analytics.subscribe("collection_viewed", (event) => send(event, {collection: id(event.data?.collection?.id)}));
    analytics.subscribe("search_submitted", (event) => send(event, {words: event.data?.searchResult?.query ?? ""}));
    analytics.subscribe("checkout_started", (event) => send(event, {checkout: event.data?.checkout?.token ?? ""}));
});
