locals {
  # Plugins read {{ }} in their settings as Go templates, also within values: braces that are text are written as a
  # template that prints them (https://developer.hashicorp.com/packer/docs/templates/legacy_json_templates/engine).
  escaped_braces = "{{`{{`}}"

  # What the scripts read lies here. Not in /tmp, which may be memory.
  bake_folder = "/var/tmp/bake"

  # root needs no sudo, and a minimal system has none.
  run_as_root = "$([ \"$(id -u)\" = 0 ] || echo sudo -n) env {{ .Vars }} bash {{ .Path }}"

  script_environment = {
    BAKE_FOLDER          = local.bake_folder
    PACKAGES             = join(" ", var.packages)
    NGINX_BUILD_PACKAGES = join(" ", var.nginx_build_packages)
    K8S_DIR              = var.kubelet_directory
    CONTAINERD_DIR       = var.containerd_directory
    RESOLV_CONF          = var.resolv_conf
    TIME_ZONE            = var.time_zone
  }
}

build {
  sources = ["source.${var.source}.node"]

  provisioner "shell" {
    inline = ["rm -rf ${local.bake_folder} && mkdir ${local.bake_folder}"]
  }

  provisioner "file" {
    destination = "${local.bake_folder}/"
    sources = [
      "${path.root}/rootfs",
      "${path.root}/downloads.tsv",
      "${path.root}/hosts",
      "${path.root}/scripts/quietly.sh",
    ]
  }

  provisioner "shell" {
    env             = local.script_environment
    execute_command = local.run_as_root
    scripts = [
      "${path.root}/scripts/wait-for-first-boot.sh",
      "${path.root}/scripts/hold-automatic-updates.sh",
      "${path.root}/scripts/install-packages.sh",
      "${path.root}/scripts/download-artifacts.sh",
      "${path.root}/scripts/build-nginx.sh",
      "${path.root}/scripts/install-binaries.sh",
      "${path.root}/scripts/make-folders.sh",
      "${path.root}/scripts/install-rootfs.sh",
      "${path.root}/scripts/link-resolv-conf.sh",
      "${path.root}/scripts/add-hosts.sh",
      "${path.root}/scripts/set-time-zone.sh",
      "${path.root}/scripts/synchronize-clock.sh",
      "${path.root}/scripts/turn-off-swap.sh",
      "${path.root}/scripts/set-kernel-command-line.sh",
      "${path.root}/scripts/enable-units.sh",
      "${path.root}/scripts/check-services.sh",
    ]
  }

  # An existing machine keeps its host keys, machine-id and network, so that nobody is locked out of it.
  provisioner "shell" {
    except          = ["null.node"]
    env             = local.script_environment
    execute_command = local.run_as_root
    script          = "${path.root}/scripts/reset-identity.sh"
  }

  provisioner "shell" {
    env             = local.script_environment
    execute_command = local.run_as_root
    script          = "${path.root}/scripts/remove-leftovers.sh"
  }
}
