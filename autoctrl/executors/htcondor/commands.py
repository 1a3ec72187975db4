"""The submit commands that HTCondor knows. It takes a misspelt one without a word, so somebody has to look."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = """
    accounting_group accounting_group_user allow_arguments_v1 allow_environment_v1 allowed_execute_duration
    allowed_job_duration append_files args arguments arguments2 batch_id batch_name batch_project batch_queue
    batch_runtime buffer_block_size buffer_files buffer_size checkpoint_destination checkpoint_exit_code compress_files
    concurrency_limits concurrency_limits_expr container_image container_service_names container_target_dir
    copy_to_spool core_size coresize cron_day_of_month cron_day_of_week cron_hour cron_minute cron_month cron_prep_time
    cron_window cuda_version deferral_prep_time deferral_time deferral_window description disk_usage docker_image
    docker_network_type docker_override_entrypoint docker_pull_policy docker_send_credentials dont_encrypt_input_files
    dont_encrypt_output_files email_attributes encrypt_execute_directory encrypt_input_files encrypt_output_files env
    environment environment2 erase_output_and_error_on_restart error error_remaps executable fetch_files file_remaps
    getenv get_env gpus_maximum_capability gpus_minimum_capability gpus_minimum_memory gpus_minimum_runtime hold
    hold_kill_sig image_size initial_dir initialdir input iwd jar_files java_vm_args java_vm_arguments
    job_ad_information_attrs job_lease_duration job_machine_attrs job_machine_attrs_history_length job_max_vacate_time
    jobset_name keep_claim_idle kill_sig kill_sig_timeout leave_in_queue load_profile local_files log log_xml
    machine_count manifest manifest_dir match_list_length max_idle max_job_retirement_time max_materialize max_retries
    max_transfer_input_mb max_transfer_output_mb mount_under_scratch my_proxy next_job_start_delay nice_user node_count
    noop_job noop_job_exit_code noop_job_exit_signal notification notify_user on_exit_hold on_exit_hold_reason
    on_exit_hold_subcode on_exit_remove output output_destination output_directory output_remaps periodic_hold
    periodic_hold_reason periodic_hold_subcode periodic_release periodic_remove periodic_vacate preferences
    preserve_relative_paths primary_unix_group prio priority project_name public_input_files rank remote_initialdir
    remove_kill_sig request_cpu request_cpus request_disk request_gpu request_gpu_memory request_gpus
    request_gpus_memory request_memory require_gpus requirements retry_request_disk retry_request_memory
    retry_request_memory_increase retry_request_memory_max retry_until run_as_owner scitokens_file
    should_transfer_files skip_filechecks skip_if_dataflow stack_size starter_debug starter_log stdin stdout stderr
    stream_error stream_input stream_output submit_event_notes submit_event_user_notes success_exit_code
    suspend_job_at_exec tool_daemon_args tool_daemon_arguments tool_daemon_cmd tool_daemon_error tool_daemon_input
    tool_daemon_output transfer_checkpoint_files transfer_container transfer_error transfer_executable transfer_input
    transfer_input_files transfer_output transfer_output_files transfer_output_remaps transfer_plugins
    ulog_execute_attrs universe use_oauth_services use_scitoken use_scitokens use_x509userproxy vm_checkpoint vm_disk
    vm_macaddr vm_memory vm_networking vm_networking_type vm_no_output_vm vm_type vm_vcpus vm_vnc want_graceful_removal
    want_io_proxy want_job_networking when_to_transfer_output x509userproxy
"""
COMMANDS = frozenset(WORDS.split())
FAMILIES = re.compile(r"(request|require)_\w+|\w+_oauth_(permissions|resource|handle)(_\w+)?|\+\s*\w+|my\.\w+")
# Without these, in any spelling of theirs, jobs would be started that nobody ever finds again.
NEEDED = ("executable", "arguments", "initialdir", "leave_in_queue")
NEEDED_ATTRIBUTES = ("AutoctrlStore", "AutoctrlBatch", "AutoctrlTag", "AutoctrlCommon", "AutoctrlSpec")
KEY = re.compile(r"^[ \t]*(\+?[ \t]*[A-Za-z_][\w.]*)[ \t]*=", re.MULTILINE)
QUEUE = re.compile(r"^[ \t]*(queue)\b", re.MULTILINE | re.IGNORECASE)


def unknown_keys(description: str) -> Iterator[str]:
    """Yield each key that is no command, no attribute, and no macro that the description uses."""
    used = {name.lower() for name in re.findall(r"\$[A-Za-z]*\(([\w.]+)", description)}
    for match in KEY.finditer(description):
        key = match.group(1).lower()
        name = key.replace(" ", "")
        is_known = name in COMMANDS or name in used or FAMILIES.fullmatch(key)
        if not is_known or close_to_request(name):
            yield match.group(1)
    if QUEUE.search(description):
        yield "queue"


def close_to_request(name: str) -> bool:
    """Say whether a custom resource looks like a misspelt one of HTCondor's own: ``request_memroy``."""
    from difflib import get_close_matches

    own = [command for command in COMMANDS if command.startswith("request_")]
    return name.startswith("request_") and name not in COMMANDS and bool(get_close_matches(name, own, cutoff=0.85))


def missing_keys(description: str) -> list[str]:
    """Return what a description must have and does not."""
    there = {match.group(1).replace(" ", "").lower().replace("my.", "+") for match in KEY.finditer(description)}
    attributes = [f"+{name}" for name in NEEDED_ATTRIBUTES]
    return [key for key in (*NEEDED, *attributes) if key.lower() not in there]
