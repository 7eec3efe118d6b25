# https://developer.hashicorp.com/packer/integrations/hashicorp/qemu/latest/components/builder/qemu

locals {
  qemu_by_architecture = {
    amd64 = {
      binary          = "qemu-system-x86_64"
      machine_type    = "pc"
      emulated_cpu    = null
      cdrom_interface = null
      efi_code        = null
      efi_vars        = null
    }
    # The virt machine has neither a BIOS nor IDE, and a 32-bit processor unless told otherwise.
    arm64 = {
      binary          = "qemu-system-aarch64"
      machine_type    = "virt"
      emulated_cpu    = "cortex-a72"
      cdrom_interface = "virtio-scsi"
      efi_code        = var.qemu_efi_firmware_code
      efi_vars        = var.qemu_efi_firmware_vars
    }
  }
  qemu_machine = local.qemu_by_architecture[var.architecture]

  qemu_built_format = var.qemu_format == "raw" ? "raw" : "qcow2"
  qemu_built        = "${var.qemu_output_directory}/${var.image_name}.${local.qemu_built_format}"
  qemu_disk         = "${var.qemu_output_directory}/${var.image_name}.${var.qemu_format}"

  # The account of the build and nothing else: it has no password and goes when the build is over. JSON is YAML, so that
  # any comment in the key stays what it is.
  build_user = "bake"
  # Without a key nobody could log in, and Packer would wait half an hour to say so. HCL has no way to fail but this.
  ssh_public_key = var.source != "qemu" || var.ssh_public_key != "" ? var.ssh_public_key : file("ssh_public_key is not set; add -var ssh_public_key=... and -var ssh_private_key_file=... (README.md)")
  seed_user_data = {
    users = [{
      name                = local.build_user
      shell               = "/bin/bash"
      sudo                = "ALL=(ALL) NOPASSWD:ALL"
      lock_passwd         = true
      ssh_authorized_keys = [local.ssh_public_key]
    }]
    ssh_pwauth = false
  }
}

source "qemu" "node" {
  qemu_binary       = local.qemu_machine.binary
  machine_type      = local.qemu_machine.machine_type
  accelerator       = var.qemu_accelerator
  cpu_model         = contains(["kvm", "hvf"], var.qemu_accelerator) ? "host" : local.qemu_machine.emulated_cpu
  cpus              = var.qemu_cpus
  memory            = var.qemu_memory_mib
  cdrom_interface   = local.qemu_machine.cdrom_interface
  efi_firmware_code = local.qemu_machine.efi_code
  efi_firmware_vars = local.qemu_machine.efi_vars
  headless          = true
  # Nothing is typed at its console: the plugin need not wait ten seconds to do so.
  disable_vnc = true

  iso_url          = replace(var.qemu_base_image_url, "{{", local.escaped_braces)
  iso_checksum     = replace(var.qemu_base_image_checksum, "{{", local.escaped_braces)
  disk_image       = true
  disk_size        = var.qemu_disk_size
  disk_discard     = "unmap"
  disk_compression = local.qemu_built_format == "qcow2"
  format           = local.qemu_built_format
  output_directory = var.qemu_output_directory
  vm_name          = basename(local.qemu_built)

  # https://cloudinit.readthedocs.io/en/22.4/topics/datasources/nocloud.html
  cd_label = "cidata"
  cd_content = {
    "meta-data" = jsonencode({ "instance-id" = "bake", "local-hostname" = "bake" })
    "user-data" = replace("#cloud-config\n${jsonencode(local.seed_user_data)}\n", "{{", local.escaped_braces)
  }

  ssh_username         = local.build_user
  ssh_private_key_file = var.ssh_private_key_file
  ssh_agent_auth       = var.ssh_private_key_file == ""
  ssh_timeout          = "30m"

  # The last session of the account removes it; what it started goes on as root.
  shutdown_command = "sudo -n sh -c 'userdel --force --remove ${local.build_user} && rm -f /etc/sudoers.d/90-cloud-init-users && systemctl poweroff'"
}
