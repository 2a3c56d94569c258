"""What WeCom does not say in public: the local WeCom's answers to it, each one a setting.

A program under test must not depend on these values; turn one and run the test again to see.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Assumed:
    """One value for each open question; the reference marks them unverified (§11 and [U])."""

    repeated_kf_msgid: int = 40058
    """The code for a kf msgid used before (§4.13); it is not published."""
    bad_event_code: int = 95007
    """The code for a bad, used or late code of ``send_msg_on_event`` (§4.6)."""
    unknown_app_msgid: int = 40058
    """The code for an unknown msgid of ``message/recall`` (§3.7)."""
    sync_needs_open_kfid: bool = True
    """Refuse a ``sync_msg`` without ``open_kfid``, as the current page asks for it (§4.4)."""
    kf_image_bytes: int = 2 * 1024 * 1024
    """Bigger pictures of customers arrive as a text hint (§4.4)."""
    kf_voice_bytes: int = 2 * 1024 * 1024
    kf_video_bytes: int = 10 * 1024 * 1024
    kf_file_bytes: int = 20 * 1024 * 1024
    kf_human_to_pool: bool = False
    """Let ``service_state/trans`` go from 3 to 2 (§4.7 reports that it may not)."""
    kf_wrong_media_code: int = 40007
    """The code for a media_id of another kind than the message's."""
    group_people: int = 500
    """How many people a customer group holds (§5.6)."""
    corp_tags: int = 3000
    """How many corp tags there may be (§5.5); a licence raises it."""
    welcome_templates: int = 100
    """How many group welcome materials there may be (§5.6)."""
    broadcast_days: int = 0
    """An unsent mass message closes after so many days (§5.7); 0 means never."""
    archive_pulls_per_minute: int = 0
    """How often the archive may be pulled, 45009 beyond; 0 means no limit. 600 is reported."""
    archive_ring_s: int = 15
    """The shortest time between two ``msgaudit_notify`` (§8.1)."""
    customers_per_member: int = 20_000
    """A transfer to a member who has so many friends ends with status 4 (§5.10)."""
    acquisition_links: int = 10_000
    """How many acquisition links there may be (41095)."""
    resigned_group_transfer_s: int = 0
    """How long a resigned owner's group is 继承中 (status 2) before it has its new owner."""
    members_as_commas: bool = False
    """Write MemChangeList of a group event in its older form, ids between commas (§5.1)."""
    moment_job_s: int = 0
    """How long an ``add_moment_task`` job runs (§5.8)."""
    acquisition_chat_event: str = "multi_receive"
    """The ChangeType of the acquisition event with a ChatKey (§5.12)."""
    intercept_words_in_kf: bool = True
    """Whether sensitive-word rules also hold for servicers in kf (§5.11)."""
    url_job_bad_code: int = 830001
    """The code of an ``upload_by_url`` job whose address gives nothing (§3.9)."""
    url_job_md5_code: int = 301019
    """The code of an ``upload_by_url`` job whose md5 does not fit (§3.9)."""
