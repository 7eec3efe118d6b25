variable "null_host" {
  type        = string
  description = "The machine that is baked, by name or address. Empty unless the source is null."

  validation {
    condition     = can(regex("^[A-Za-z0-9.:-]*$", var.null_host))
    error_message = "The host must be a DNS name or an IP address."
  }
}

variable "null_port" {
  type        = number
  description = "Port of its SSH server."

  validation {
    condition     = var.null_port >= 1 && var.null_port <= 65535
    error_message = "The port must be between 1 and 65535."
  }
}

variable "null_user" {
  type        = string
  description = "User to log in as: root, or one that sudo asks for no password."

  validation {
    condition     = can(regex("^[A-Za-z_][A-Za-z0-9._-]*$", var.null_user))
    error_message = "The user must be a Linux user name."
  }
}

variable "null_sysprep" {
  type        = bool
  description = "Whether the machine loses what makes it this one machine, to become an image: host keys, machine-id, network, authorized keys."
}
