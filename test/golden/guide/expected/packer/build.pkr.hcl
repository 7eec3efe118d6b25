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
    APT_MIRROR           = var.apt_mirror
    APT_SECURITY_MIRROR  = var.apt_security_mirror
    PACKAGES             = join(" ", var.packages)
    NGINX_BUILD_PACKAGES = join(" ", var.nginx_build_packages)
    K8S_DIR              = var.kubelet_directory
    CONTAINERD_DIR       = var.containerd_directory
    SANDBOX_IMAGE        = var.sandbox_image
    HOOKS                = join(" ", var.hooks)
    RESOLV_CONF          = var.resolv_conf
    TIME_ZONE            = var.time_zone
    # An existing machine keeps its host keys, machine-id and network unless told otherwise, so that nobody is locked out.
    SYSPREP = var.source != "null" || var.null_sysprep
  }
}

build {
  sources = ["source.${var.source}.node"]

  provisioner "shell" {
    env    = { BAKE_FOLDER = local.bake_folder }
    script = "${path.root}/scripts/make-bake-folder.sh"
  }

  provisioner "file" {
    destination = "${local.bake_folder}/"
    sources = concat(
      [
        "${path.root}/rootfs",
        "${path.root}/artifacts.tsv",
        "${path.root}/hosts",
        "${path.root}/scripts/quietly.sh",
      ],
      [for hook in var.hooks : "${path.root}/hooks/${hook}"],
    )
  }

  # From the machine that runs Packer: the build machine needs nothing but apt.
  provisioner "file" {
    destination = "${local.bake_folder}/artifacts/"
    sources     = [for name in var.artifacts : "${var.artifacts_folder}/${name}"]
  }

  provisioner "shell" {
    env             = local.script_environment
    execute_command = local.run_as_root
    scripts = [
      "${path.root}/scripts/wait-for-first-boot.sh",
      "${path.root}/scripts/hold-automatic-updates.sh",
      "${path.root}/scripts/check-artifacts.sh",
      "${path.root}/scripts/use-apt-mirror.sh",
      "${path.root}/scripts/install-packages.sh",
      "${path.root}/scripts/build-nginx.sh",
      "${path.root}/scripts/remove-build-packages.sh",
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
      "${path.root}/scripts/import-sandbox-image.sh",
      "${path.root}/scripts/run-hooks.sh",
      "${path.root}/scripts/check-services.sh",
      "${path.root}/scripts/reset-identity.sh",
      "${path.root}/scripts/test-image.sh",
      "${path.root}/scripts/list-packages.sh",
    ]
  }

  # For the bill of materials.
  provisioner "file" {
    direction   = "download"
    source      = "${local.bake_folder}/packages.tsv"
    destination = var.package_list
  }

  provisioner "shell" {
    env             = local.script_environment
    execute_command = local.run_as_root
    script          = "${path.root}/scripts/remove-leftovers.sh"
  }

  # An existing machine is left as it was found, so that a bake can be tried again.
  error-cleanup-provisioner "shell" {
    env             = local.script_environment
    execute_command = local.run_as_root
    scripts = [
      "${path.root}/scripts/remove-build-packages.sh",
      "${path.root}/scripts/remove-leftovers.sh",
    ]
  }

  post-processors {
    # Packer's own format is qcow2 or raw; what else is wanted is made of it.
    post-processor "shell-local" {
      only             = ["qemu.node"]
      environment_vars = ["FORMAT=${var.qemu_format}", "DISK=${local.qemu_disk}", "BUILT=${local.qemu_built}"]
      script           = "${path.root}/scripts/convert-disk.sh"
    }
    post-processor "artifice" {
      only  = ["qemu.node"]
      files = [local.qemu_disk]
    }
    post-processor "checksum" {
      only           = ["qemu.node"]
      checksum_types = ["sha256"]
      output         = "${local.qemu_disk}.sha256"
    }
  }
}
