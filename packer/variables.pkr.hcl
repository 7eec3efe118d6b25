# What every source shares. Values come from cluster.yaml, by bake.auto.pkrvars.json; a variable that has a default here
# belongs to the machine that runs Packer.

variable "source" {
  type        = string
  description = "What is built: qemu (a disk image), amazon-ebs (an AMI) or null (an existing machine, over SSH)."

  validation {
    condition     = contains(["qemu", "amazon-ebs", "null"], var.source)
    error_message = "The source must be qemu, amazon-ebs or null."
  }
}

variable "architecture" {
  type        = string
  description = "The nodes' processors: amd64 or arm64."

  validation {
    condition     = contains(["amd64", "arm64"], var.architecture)
    error_message = "The architecture must be amd64 or arm64."
  }
}

variable "image_name" {
  type        = string
  description = "Name of the disk image, and of the AMI with the time added."

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", var.image_name))
    error_message = "The image name must be lower-case letters, digits, dots and dashes."
  }
}

variable "ssh_private_key_file" {
  type        = string
  default     = ""
  description = "The key that logs in to the build machine. Empty: the keys of the SSH agent; amazon-ebs makes one."
}

variable "ssh_public_key" {
  type        = string
  default     = ""
  description = "Its public half, for the qemu source: without it nobody can log in to the build machine."

  validation {
    condition     = var.ssh_public_key == "" || can(regex("^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [^\n]*)?$", var.ssh_public_key))
    error_message = "The public key must be one line, as in a .pub file of ssh-keygen."
  }
}

variable "packages" {
  type        = list(string)
  description = "Packages that the image needs, for apt."

  validation {
    condition     = !contains([for name in var.packages : can(regex("^[a-z0-9][a-z0-9+.-]+$", name))], false)
    error_message = "Each package must be the name of a Debian package."
  }
}

variable "nginx_build_packages" {
  type        = list(string)
  description = "Packages that compile nginx; those that were not there before are removed again."

  validation {
    condition     = !contains([for name in var.nginx_build_packages : can(regex("^[a-z0-9][a-z0-9+.-]+$", name))], false)
    error_message = "Each package must be the name of a Debian package."
  }
}

variable "kubelet_directory" {
  type        = string
  description = "The guide's K8S_DIR: kubelet's root is its subfolder kubelet."

  validation {
    condition     = can(regex("^(/[A-Za-z0-9._-]+)+$", var.kubelet_directory))
    error_message = "The folder must be an absolute path of letters, digits, dots, dashes and underscores."
  }
}

variable "containerd_directory" {
  type        = string
  description = "The guide's CONTAINERD_DIR: containerd's root and state lie below it."

  validation {
    condition     = can(regex("^(/[A-Za-z0-9._-]+)+$", var.containerd_directory))
    error_message = "The folder must be an absolute path of letters, digits, dots, dashes and underscores."
  }
}

variable "resolv_conf" {
  type        = string
  description = "The file that names the real DNS servers; where it does not exist, /etc/resolv.conf does."

  validation {
    condition     = can(regex("^(/[A-Za-z0-9._-]+)+$", var.resolv_conf))
    error_message = "The file must be an absolute path of letters, digits, dots, dashes and underscores."
  }
}

variable "time_zone" {
  type        = string
  description = "A name of the tz database, such as Asia/Shanghai."

  validation {
    condition     = can(regex("^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", var.time_zone))
    error_message = "The time zone must be a name of the tz database."
  }
}
