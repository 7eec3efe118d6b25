variable "qemu_base_image_url" {
  type        = string
  description = "The operating system's cloud image: a URL or a path."

  validation {
    condition     = length(var.qemu_base_image_url) > 0
    error_message = "The base image must have a URL or a path."
  }
}

variable "qemu_base_image_checksum" {
  type        = string
  description = "Its checksum: sha256:HEX, or file:URL of a SHA256SUMS that names it."

  validation {
    condition     = can(regex("^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}|file:.+|none)$", var.qemu_base_image_checksum))
    error_message = "The checksum must be sha256:HEX, sha512:HEX, file:URL or none."
  }
}

variable "qemu_disk_size" {
  type        = string
  description = "Size of the image's disk, such as 20G; a node's own disk may be larger."

  validation {
    condition     = can(regex("^[1-9][0-9]*[GM]$", var.qemu_disk_size))
    error_message = "The disk size must be a number and G or M."
  }
}

variable "qemu_format" {
  type        = string
  description = "Format of the disk image: qcow2, raw or vmdk."

  validation {
    condition     = contains(["qcow2", "raw", "vmdk"], var.qemu_format)
    error_message = "The format must be qcow2, raw or vmdk."
  }
}

variable "qemu_memory_mib" {
  type        = number
  description = "Memory of the build machine, in MiB."

  validation {
    condition     = var.qemu_memory_mib >= 512
    error_message = "The build machine needs 512 MiB or more."
  }
}

variable "qemu_cpus" {
  type        = number
  description = "Processors of the build machine; nginx is compiled with all of them."

  validation {
    condition     = var.qemu_cpus >= 1 && floor(var.qemu_cpus) == var.qemu_cpus
    error_message = "The build machine needs one processor or more."
  }
}

variable "qemu_accelerator" {
  type        = string
  description = "kvm (Linux), hvf (macOS), or tcg, which needs neither and is slow."

  validation {
    condition     = contains(["kvm", "hvf", "tcg", "none"], var.qemu_accelerator)
    error_message = "The accelerator must be kvm, hvf, tcg or none."
  }
}

variable "qemu_efi_firmware_code" {
  type        = string
  default     = "/usr/share/AAVMF/AAVMF_CODE.fd"
  description = "UEFI firmware for arm64 on the machine that runs Packer; Debian's package is qemu-efi-aarch64."
}

variable "qemu_efi_firmware_vars" {
  type        = string
  default     = "/usr/share/AAVMF/AAVMF_VARS.fd"
  description = "The firmware's empty variables, which are copied."
}

variable "qemu_output_directory" {
  type        = string
  default     = "output"
  description = "Folder for the disk image; it must not exist yet."

  validation {
    condition     = length(var.qemu_output_directory) > 0
    error_message = "The output folder must have a name."
  }
}
