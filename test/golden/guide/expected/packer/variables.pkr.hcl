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

variable "artifacts" {
  type        = list(string)
  description = "Names of the downloads that go into the image, as `bake fetch -o` lays them in artifacts_folder."

  validation {
    condition     = !contains([for name in var.artifacts : can(regex("^[a-z][a-z.-]*$", name))], false)
    error_message = "Each artifact must be the name of a file."
  }
}

variable "artifacts_folder" {
  type        = string
  default     = "artifacts"
  description = "Folder with the artifacts, on the machine that runs Packer."

  validation {
    condition     = length(var.artifacts_folder) > 0
    error_message = "The folder must have a name."
  }
}

variable "package_list" {
  type        = string
  default     = "packages.tsv"
  description = "File to write the image's packages to, on the machine that runs Packer: name, version, architecture."

  validation {
    condition     = length(var.package_list) > 0
    error_message = "The file must have a name."
  }
}

variable "apt_mirror" {
  type        = string
  description = "Mirror of the system's archive for apt, in the bake and on the nodes. Empty: as the base image has it."

  validation {
    condition     = can(regex("^$|^(https?|file)://[^ ]+$", var.apt_mirror))
    error_message = "The mirror must be a URL."
  }
}

variable "apt_security_mirror" {
  type        = string
  description = "Mirror of its security updates."

  validation {
    condition     = can(regex("^$|^(https?|file)://[^ ]+$", var.apt_security_mirror))
    error_message = "The mirror must be a URL."
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

variable "hooks" {
  type        = list(string)
  description = "Names of the user's own scripts below hooks/, in the order in which they run."

  validation {
    condition     = !contains([for name in var.hooks : can(regex("^hook-[0-9]+-[A-Za-z0-9._-]+$", name))], false)
    error_message = "Each hook must be the name of a file such as hook-1-name."
  }
}

variable "sandbox_image" {
  type        = string
  description = "The pause image, as containerd and kubelet name it."

  validation {
    condition     = length(var.sandbox_image) > 0
    error_message = "The sandbox image must have a name."
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
