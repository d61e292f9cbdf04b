"""A folder of landing pages for each store of the demo, with a page in the first, and who may work in them."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from wagtail.models import Collection, GroupCollectionPermission, GroupPagePermission, Page

from smsflow_plugin.models import LandingFolder, LandingPage, OptInForm, Store
from smsflow_plugin.stores.models import StoreMembership
from smsflow_plugin.stores.roles import AGENCY, STORE_ADMIN

RIGHTS = ("add_page", "change_page", "publish_page")
IMAGE_RIGHTS = ("add_image", "choose_image")


def create_pages(stores: list[Store]) -> None:
    """Make the folders and the page, as an administrator of the site and a merchant do."""
    root = Page.get_first_root_node()
    folders = [
        root.add_child(instance=LandingFolder(title=f"Landing pages of {store}", store=store)) for store in stores
    ]
    for store, folder in zip(stores, folders, strict=True):
        _let_work_in(store, folder)
    page = folders[0].add_child(
        instance=LandingPage(
            title="20 % off everything for the trail",
            slug="trail",
            introduction="Thank you for reading our texts. This one is for you.",
            offer="20 % off until Sunday",
            discount_code="TRAIL20",
            shop_link=f"{stores[0].website}/collections/trail",
            body="<h2>Made for long days</h2><p>Boots, packs and tents that we use ourselves.</p>",
            form=_form(stores[0]),
            live=False,
        )
    )
    page.save_revision().publish()


def _form(store: Store) -> OptInForm:
    return OptInForm.objects.create(
        store=store,
        name="Landing page",
        programme="Sierra Texts",
        terms_url=f"{store.website}/policies/terms-of-service",
        privacy_url=f"{store.website}/policies/privacy-policy",
    )


def _let_work_in(store: Store, folder: LandingFolder) -> None:
    """Give the store's people their page permissions, and a collection for the images of the pages.

    Wagtail gives both to groups, by parts of the tree.
    """
    group = Group.objects.create(name=f"Landing pages of {store}")
    for permission in Permission.objects.filter(codename__in=RIGHTS, content_type__app_label="wagtailcore"):
        GroupPagePermission.objects.create(group=group, page=folder, permission=permission)
    images = Collection.get_first_root_node().add_child(name=f"Landing pages of {store}")
    for permission in Permission.objects.filter(codename__in=IMAGE_RIGHTS, content_type__app_label="wagtailimages"):
        GroupCollectionPermission.objects.create(group=group, collection=images, permission=permission)
    members = StoreMembership.objects.filter(store=store, role__name__in=(STORE_ADMIN, AGENCY))
    for member in members.select_related("user"):
        member.user.groups.add(group)
